"""The tiny model as a folder with a contract."""
