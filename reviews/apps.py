from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "reviews"

    def ready(self) -> None:
        from conversations.written_about import also_blank
        from reviews.forgetting import blank_reviews

        also_blank(blank_reviews)
