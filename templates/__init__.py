"""Templates: the words and looks of what is sent to people. Files only; `pipeline.mail` renders them."""
