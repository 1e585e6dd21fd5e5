"""The hidden checks of this homework: one pytest file a question, beside the support code that they send."""
