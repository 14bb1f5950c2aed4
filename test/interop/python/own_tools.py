"""A registered agent of the OpenAI Agents SDK with tools that no script knows: prints one JSON object."""

import asyncio
import json

from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool
from lumoauth import LumoAuthAgent
from openai import AsyncOpenAI
from pydantic import BaseModel, Field

identity = LumoAuthAgent()
assert identity.authenticate()
ran: list[str] = []


class Period(BaseModel):
    year: int = Field(ge=2020)
    quarter: int = Field(gt=0, lt=5)


class Order(BaseModel):
    customer: str
    period: Period
    parts: list["Order"]


class Verdict(BaseModel):
    summary: str
    period: Period


@function_tool
def place_order(order: Order) -> str:
    """Places an order."""
    assert order.period.quarter in range(1, 5)
    ran.append("place_order")
    return "placed" if identity.has_capability("write:reports") else "not allowed"


@function_tool
def never_called(customer: str) -> str:
    """Is offered second."""
    ran.append("never_called")
    return customer


async def run_streamed(agent: Agent) -> object:
    result = Runner.run_streamed(agent, "Order a pump")
    async for _ in result.stream_events():
        pass
    return result.final_output


async def main() -> None:
    tools = [place_order, never_called]
    buyer = Agent(name="Buyer", tools=tools)
    chat = OpenAIChatCompletionsModel("a-model-of-next-year", AsyncOpenAI())
    answers = {
        "plain": (await Runner.run(buyer, "Order a pump")).final_output,
        "streamed": await run_streamed(buyer),
        "chat": await run_streamed(Agent(name="Buyer", tools=tools, model=chat)),
        "handoff": (await Runner.run(Agent(name="Desk", handoffs=[buyer]), "Order")).final_output,
    }
    judge = Agent(name="Judge", tools=tools, output_type=Verdict)
    verdict = (await Runner.run(judge, "Order a pump")).final_output
    print(json.dumps({"answers": answers, "verdict": verdict.model_dump(), "ran": ran}))


asyncio.run(main())
