"""OpenAPI documents: endpoints, schemas and references, resolved to row schemas."""
