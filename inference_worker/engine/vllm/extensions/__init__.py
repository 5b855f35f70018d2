"""Code that vLLM loads into its own processes, by name. Nothing else imports these modules' classes."""
