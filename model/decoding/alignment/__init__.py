"""Token healing: generation that agrees with the bytes in front of the cursor."""
