//! The product through HTTP: one file per noun, and whole journeys of an operator.
