from fastapi import FastAPI

from api.room import Room


def build_pages(app: FastAPI, room: Room) -> None:
    return None
