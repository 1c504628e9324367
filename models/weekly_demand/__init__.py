"""How many uploads and searches will next week bring, per category?"""
