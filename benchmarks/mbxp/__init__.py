"""MBXP: complete, execute and score small programming problems in thirteen languages."""
