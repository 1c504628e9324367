"""What happened: alerts as Alertmanager tells them, releases and training runs as notes on every graph."""
