"""All settings, read from the environment. Unsafe combinations are refused by helpdesk.checks."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext_lazy as _

from helpdesk import env
from helpdesk.gpu import default_sequences
from helpdesk.logs import logging_settings

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.path("GLASSDESK_DATA", str(BASE_DIR / "var"))
CACHE_DIR = env.path("GLASSDESK_CACHE", "~/.cache/glassdesk")
env.load_file(DATA_DIR / "environment")

# --- Web -----------------------------------------------------------------------------------------------------------
DEBUG = env.boolean("GLASSDESK_DEBUG", False)
SECRET_KEY = env.secret("GLASSDESK_SECRET_KEY", "insecure-development-key")
MASTER_KEY = env.secret("GLASSDESK_MASTER_KEY", "")
PREVIOUS_MASTER_KEYS = env.secret("GLASSDESK_PREVIOUS_MASTER_KEYS", "")
# The file of the chains' anchors (tracing.anchors); empty switches them off.
ANCHORS = env.text("GLASSDESK_ANCHORS", str(DATA_DIR / "anchors.jsonl"))
MASTER_KEY_PROVIDER = env.text("GLASSDESK_MASTER_KEY_PROVIDER", "helpdesk.master_keys.EnvironmentMasterKeys")
# Where people reach this desk: printed by commands, and written by `manage.py up` for them.
ADDRESS = env.text("GLASSDESK_ADDRESS", "http://localhost:8000")
ALLOWED_HOSTS = env.words("GLASSDESK_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env.words("GLASSDESK_TRUSTED_ORIGINS")
HTTPS = env.boolean("GLASSDESK_HTTPS", False)
# Whose X-Forwarded-For is believed (helpdesk.web.client_address); nobody's unless named.
TRUSTED_PROXIES = env.networks("GLASSDESK_TRUSTED_PROXIES")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
# Prometheus scrapes from inside, past the proxy that ends HTTPS.
SECURE_REDIRECT_EXEMPT = [r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
ROOT_URLCONF = "helpdesk.urls"
ASGI_APPLICATION = "helpdesk.asgi.application"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# Django's admin for whoever runs the server (helpdesk.operations.operators), below /operators/.
OPERATORS = env.boolean("GLASSDESK_OPERATORS", False)

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "csp",
    "helpdesk",
    "helpdesk.tenants",
    "helpdesk.pending",
    "helpdesk.facts",
    "helpdesk.users",
    "helpdesk.api_keys",
    "helpdesk.api",
    "helpdesk.streams",
    "helpdesk.embedded",
    "helpdesk.operations",
    "helpdesk.demo",
    "knowledge",
    "conversations",
    "tracing",
    "batches",
    "reviews",
    "inference_worker",
    "evaluation",
]

MIDDLEWARE = [
    "helpdesk.metrics.web.MetricsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "helpdesk.web.static_files.StaticFilesMiddleware",
    "helpdesk.web.middleware.no_store",
    "helpdesk.users.acting.nobody_yet",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "helpdesk.pages.timezones.BrowserTimezoneMiddleware",
    "helpdesk.web.middleware.DomainErrorMiddleware",
    "helpdesk.users.company_sign_in.only_one_company",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "helpdesk.tenants.context.current_tenant",
                "helpdesk.users.company_sign_in.offered",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    ["django.template.loaders.filesystem.Loader", "django.template.loaders.app_directories.Loader"],
                )
            ],
            "builtins": [
                "django.templatetags.i18n",
                "django.templatetags.static",
                "helpdesk.templatetags.bundled",
                "helpdesk.templatetags.linked",
                "helpdesk.templatetags.moments",
            ],
        },
    }
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- Database ------------------------------------------------------------------------------------------------------
DATABASES = {
    "default": {
        **env.database("DATABASE_URL", "postgresql://glassdesk_app@127.0.0.1:5432/glassdesk"),
        "CONN_MAX_AGE": 0,
        # The pool asks each connection before it hands it out: after a restart of PostgreSQL it holds dead ones.
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": env.integer("GLASSDESK_DB_POOL", 24, minimum=2), "timeout": 10},
            "connect_timeout": 5,
            "application_name": "glassdesk",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Redis / Valkey: broker, streams, cache ------------------------------------------------------------------------
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "helpdesk.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
        "KEY_PREFIX": "glassdesk:cache",
        "TIMEOUT": 300,
    }
}
STREAM_TTL_SECONDS = env.integer("GLASSDESK_STREAM_TTL", 600, minimum=30)
STREAM_MAX_ENTRIES = env.integer("GLASSDESK_STREAM_MAX_ENTRIES", 5000, minimum=100)

CELERY_BROKER_URL = REDIS_URL

# --- People --------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "desk:home"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "helpdesk.users.adapter.AccountAdapter"
ACCOUNT_FORMS = {"reset_password": "helpdesk.users.forms.ResetPasswordForm"}
# allauth's own would write a row of allauth's addresses for everybody who asks; ours has one address: the account's.
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "django.contrib.auth.tokens.PasswordResetTokenGenerator"  # noqa: S105
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = None
MFA_ADAPTER = "helpdesk.users.mfa_adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_FORMS = {
    "activate_totp": "helpdesk.users.mfa_forms.ActivateForm",
    "authenticate": "helpdesk.users.mfa_forms.AuthenticateForm",
    "reauthenticate": "helpdesk.users.mfa_forms.ReauthenticateForm",
    "add_webauthn": "helpdesk.users.mfa_forms.AddKeyForm",
    "authenticate_webauthn": "helpdesk.users.mfa_forms.AuthenticateKeyForm",
    "reauthenticate_webauthn": "helpdesk.users.mfa_forms.ReauthenticateKeyForm",
}
MFA_TOTP_ISSUER = "Glassdesk"
# Clocks of phones are a little off; one step either way (RFC 6238, section 5.2).
MFA_TOTP_TOLERANCE = 1
# An account has its own address only; allauth's rows of further ones mean nothing here.
MFA_ALLOW_UNVERIFIED_EMAIL = True
# Companies' own sign-ins (helpdesk.users.company_sign_in): one provider each, named by the company's slug.
SOCIALACCOUNT_ADAPTER = "helpdesk.users.company_sign_in.CompanyAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {"APPS": env.company_sign_ins("GLASSDESK_COMPANY_SIGN_IN"), "OAUTH_PKCE_ENABLED": True}
}
# The link leads on at once: state and PKCE bind the answer to this browser.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_STORE_TOKENS = False
_MAIL = env.mail_server("GLASSDESK_MAIL_SERVER")
_FILED = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_BACKEND = env.text("GLASSDESK_EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend" if _MAIL else _FILED)
EMAIL_HOST, EMAIL_PORT = _MAIL.get("EMAIL_HOST", "localhost"), _MAIL.get("EMAIL_PORT", 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL.get("EMAIL_HOST_USER", ""), _MAIL.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.get("EMAIL_USE_TLS", False), _MAIL.get("EMAIL_USE_SSL", False)
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = DATA_DIR / "mail"
# Whether invitations reach people by mail; otherwise whoever runs the command hands the link over.
SENDS_MAIL = EMAIL_BACKEND != _FILED
INVITATION_DAYS = env.integer("GLASSDESK_INVITATION_DAYS", 7, minimum=1)
DEFAULT_FROM_EMAIL = env.text("GLASSDESK_FROM_EMAIL", "glassdesk@localhost")
VISITOR_TOKEN_DAYS = env.integer("GLASSDESK_VISITOR_TOKEN_DAYS", 30, minimum=1)
VISITOR_MESSAGES_PER_MINUTE = env.integer("GLASSDESK_VISITOR_MESSAGES_PER_MINUTE", 20, minimum=1)

STARTUP_CHECKS = env.boolean("GLASSDESK_STARTUP_CHECKS", True)

# --- Inference -----------------------------------------------------------------------------------------------------
ENGINE = env.text("GLASSDESK_ENGINE", "vllm")
SCRIPTED_PAUSE_MILLISECONDS = env.integer("GLASSDESK_SCRIPTED_PAUSE", 0)
# What `manage.py up` chose counts where nobody set a model.
CHAT_MODEL = env.text("GLASSDESK_CHAT_MODEL", "") or env.text("GLASSDESK_AUTOMATIC_CHAT_MODEL", "packaged")
CHAT_MODEL_REVISION = env.text("GLASSDESK_CHAT_MODEL_REVISION", "")
# The name by which assistants choose this worker's model; empty means the desk's first one.
MODEL_NAME = env.model_name("GLASSDESK_MODEL_NAME")
EXTRA_MODELS = env.named_models("GLASSDESK_EXTRA_MODELS")
EMBEDDING_MODEL = env.text("GLASSDESK_EMBEDDING_MODEL", "packaged")
# Reads a question beside the sentences that were found: `packaged`, `off`, or a file of weights; and how long one look may take.
RERANKER = env.choice_or_file("GLASSDESK_RERANKER", "packaged", ("packaged", "off"), ending=".safetensors")
RERANK_MILLISECONDS = env.integer("GLASSDESK_RERANK_MILLISECONDS", 250, minimum=1)
# What translating the quotes of one answer may take, where the engine writes the customer's language; 0 makes none.
TRANSLATION_SECONDS = env.integer("GLASSDESK_TRANSLATION_SECONDS", 15, minimum=0)
ENGINE_MAX_MODEL_LEN = env.integer("GLASSDESK_MAX_MODEL_LEN", 2048, minimum=512)
# The demo companies that are loaded, with sign-ins that everybody knows; none for a desk of one's own.
DEMO_COMPANIES = env.words("GLASSDESK_DEMO", "mossgate,ledgerleaf")
# Whether the causes of every answer are measured when the engine is idle; otherwise only on demand.
AUTOMATIC_ATTRIBUTION = env.boolean("GLASSDESK_AUTOMATIC_ATTRIBUTION", True)
# How long an answer may be taken from the cache for the same question; 0 writes every answer anew.
ANSWER_CACHE_SECONDS = env.integer("GLASSDESK_ANSWER_CACHE_TTL", 86_400)
# Of the whole card. The workers of further models share it.
GPU_MEMORY_SHARE = env.fraction("GLASSDESK_GPU_MEMORY_SHARE", round(0.85 / (1 + len(EXTRA_MODELS)), 3))
ENGINE_MAX_SEQUENCES = env.integer_or("GLASSDESK_MAX_SEQUENCES", lambda: default_sequences(GPU_MEMORY_SHARE), minimum=1)
# 0: one GiB on a CPU; on a GPU what weights and steps leave of the share.
ENGINE_KV_CACHE_GIB = env.integer("GLASSDESK_KV_CACHE_GIB", 0)
MODEL_RUNNER = env.choice("GLASSDESK_MODEL_RUNNER", "auto", ("auto", "1", "2"))
EMBEDDING_DEVICE = env.choice("GLASSDESK_EMBEDDING_DEVICE", "cpu", ("cpu", "cuda"))
REPLY_DEADLINE_SECONDS = env.integer("GLASSDESK_REPLY_DEADLINE", 120, minimum=10)
REPLY_LEASE_SECONDS = env.integer("GLASSDESK_REPLY_LEASE", 15, minimum=3)
REPLY_MAX_ATTEMPTS = 2
# More threads than sequences: searching and storing need none. Over-share replies get only four fifths of the sequences
# (inference_worker.worker.reserved_for_first_steps).
INFERENCE_THREADS = env.integer(
    "GLASSDESK_INFERENCE_THREADS", ENGINE_MAX_SEQUENCES + max(2, ENGINE_MAX_SEQUENCES // 5), minimum=1
)
# Replies in flight per company and class, and tasks of replies waiting over all companies; beyond that the desk is busy.
TENANT_QUEUE = env.integer("GLASSDESK_TENANT_QUEUE", 48, minimum=1)
QUEUE_LIMIT = env.integer("GLASSDESK_QUEUE_LIMIT", 512, minimum=1)
# Items of batch jobs in flight at once, over all jobs: at most half of the engine, so that customers always find slots.
BATCH_IN_FLIGHT = env.integer("GLASSDESK_BATCH_IN_FLIGHT", max(1, ENGINE_MAX_SEQUENCES // 2), minimum=1)
DELTA_INTERVAL_SECONDS = 0.04

# --- Batch jobs ----------------------------------------------------------------------------------------------------
BATCH_MAX_ITEMS = env.integer("GLASSDESK_BATCH_MAX_ITEMS", 10_000, minimum=1)
BATCH_MAX_BYTES = env.integer("GLASSDESK_BATCH_MAX_BYTES", 16 * 1024 * 1024, minimum=1024)
# Of one company, in all its batches.
BATCH_MAX_WAITING = env.integer("GLASSDESK_BATCH_MAX_WAITING", 50_000, minimum=1)
# From the moment an item begins; customers go first all that time.
BATCH_DEADLINE_SECONDS = env.integer("GLASSDESK_BATCH_DEADLINE", 3600, minimum=60)

# --- Facts ---------------------------------------------------------------------------------------------------------
FACT_SUBSCRIBERS = "helpdesk.subscribers.SUBSCRIBERS"
# How long facts are kept that everybody has been notified of; how often one is tried before it is parked: over an hour.
FACT_DAYS = env.integer("GLASSDESK_FACT_DAYS", 30, minimum=1)
FACT_ATTEMPTS = 20

# --- Metrics -------------------------------------------------------------------------------------------------------
# Where a worker serves its own; 0 is nowhere. With a token everybody has to show it, without one only this machine sees them.
METRICS_PORT = env.integer("GLASSDESK_METRICS_PORT", 0)
METRICS_BIND = env.text("GLASSDESK_METRICS_BIND", "127.0.0.1")
METRICS_TOKEN = env.secret("GLASSDESK_METRICS_TOKEN", "")

# --- REST ----------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["helpdesk.api.parsers.StrictJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.AllowAny"],
    "EXCEPTION_HANDLER": "helpdesk.api.errors.exception_handler",
    "DEFAULT_SCHEMA_CLASS": "helpdesk.api.schema.ApiSchema",
    "DEFAULT_THROTTLE_RATES": {
        "visitor-session": "30/min",
        "visitor-feedback": "60/min",
        "visitor-history": "120/min",
        "visitor-transcript": "5/hour",
    },
    "UNAUTHENTICATED_USER": None,
}
# How long a caller may wait for the chain of its traces to be checked.
API_VERIFY_SECONDS = env.integer("GLASSDESK_API_VERIFY_SECONDS", 20, minimum=1)
API_KEY_REQUESTS_PER_MINUTE = env.integer("GLASSDESK_API_KEY_REQUESTS_PER_MINUTE", 120, minimum=1)
API_TENANT_REQUESTS_PER_MINUTE = env.integer("GLASSDESK_API_TENANT_REQUESTS_PER_MINUTE", 600, minimum=1)
SPECTACULAR_SETTINGS = {
    "TITLE": "Glassdesk",
    "DESCRIPTION": "Conversations, answers and their sources for other software. Every request carries an API key: "
    '`Authorization: Bearer gd_…`. Errors have one body: `{"error": {"code", "message", …}}`.',
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v[0-9]+",
    "PREPROCESSING_HOOKS": ["helpdesk.api.schema.only_endpoints_for_api_clients"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None, "displayRequestDuration": True},
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "AnalysisKindEnum": "tracing.models.AnalysisKind",
        "AnswerKindEnum": "conversations.models.AnswerKind",
        "BandEnum": "tracing.models.ConfidenceBand",
        "BatchStateEnum": "batches.models.BatchState",
        "ItemStateEnum": "batches.models.ItemState",
        "JobStateEnum": "tracing.models.JobState",
    },
}

# --- Languages, files, logs ----------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = ["helpdesk.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
# Served as one file each (helpdesk.web.bundles): a script with everything that it imports, or style sheets in this order.
STATIC_BUNDLES: dict[str, str | list[str]] = {
    "widget/panel.js": "widget/main.js",
    "widget/refusal.css": ["tokens.css", "widget/refused.css"],
    "widget/panel.css": [
        "tokens.css",
        "widget/widget.css",
        "widget/transcript.css",
        "widget/feedback.css",
        "widget/survey.css",
        "widget/pre_chat.css",
    ],
}
LOGGING_CONFIG = "logging.config.dictConfig"
LOGGING = logging_settings(json_lines=env.boolean("GLASSDESK_JSON_LOGS", False))
SILENCED_SYSTEM_CHECKS: list[str] = []
