"""WHO, AND WHAT NEXT: powers, the decision table, routing, a case's life, and the sealed record of it."""
