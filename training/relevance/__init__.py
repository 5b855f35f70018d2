"""How the reranker's weights (`inference_worker/engine/weights/relevance.safetensors`) are made: README.md beside this file."""
