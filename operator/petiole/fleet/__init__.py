"""One fleet's decisions: who may begin, where every device stands, when to stop. Pure."""
