"""Work that takes several rooms: from somebody's network to a trained surrogate of its cells."""
