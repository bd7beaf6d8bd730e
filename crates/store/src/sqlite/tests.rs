//! What the file and its errors look like from inside.
