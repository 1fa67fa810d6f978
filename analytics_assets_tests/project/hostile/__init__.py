"""Attacks by an API, and answers that are clumsy: the right result, or a sentence."""
