"""Payments, invoices and customers of Stripe."""
