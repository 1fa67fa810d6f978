"""OpenAPI documents: endpoints, references and schemas, down to the columns of a row."""
