"""The pages of docs/reference, each a function that gives the page's text."""
