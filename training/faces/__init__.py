"""Aligned faces as training data: guides, embeddings, and identities of nobody."""
