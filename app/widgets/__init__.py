"""Parts that know nothing of meshes."""
