"""The host that answers at once: the Open Inference Protocol over HTTP."""
