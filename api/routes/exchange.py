"""The whole register as a spreadsheet."""

from fastapi import APIRouter

from api.room import guard

router = APIRouter(prefix="/api/v1", tags=["exchange"], dependencies=[guard])
