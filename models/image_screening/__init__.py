"""What does a picture show, and may it be shown? The deep model that screens every item."""
