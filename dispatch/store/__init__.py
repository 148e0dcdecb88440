"""Every query, named by the question it answers. Reads may be asked by anyone; writes go through the desk."""
