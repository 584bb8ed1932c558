"""goosebit, Eclipse hawkBit and Petiole on the same work, one after another on one machine."""
