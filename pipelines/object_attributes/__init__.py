"""The pipeline of object_attributes: a small detector on the frozen network's feature map."""
