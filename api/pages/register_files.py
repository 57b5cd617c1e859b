"""The register as a file."""

from fastapi import APIRouter

router = APIRouter(include_in_schema=False)
