"""Writing a Report into the cluster, as objects of the kinds of policy reports that it has."""

import asyncio
from collections.abc import Sequence

import msgspec

from hardener.cluster.api_server import NOT_FOUND, ApiError, ApiServer
from hardener.cluster.bounds import Bounds, Pace
from hardener.cluster.credentials import Credentials
from hardener.cluster.listing import FORBIDDEN
from hardener.cluster.status import Silence
from hardener.errors import StartError
from hardener.report.policy_reports import FORMS, MANAGED_BY, Form, policy_report
from hardener.report.report import Namespace, Report
from hardener.wording import NAME

AT_ONCE = 8
"""Requests that are under way together."""

# Nobody else writes these objects, and what somebody has put into one is taken back.
_APPLY = f"fieldManager={NAME}&force=true"


class _Meta(msgspec.Struct):
    labels: dict[str, str] | None = None


class _Labelled(msgspec.Struct):
    metadata: _Meta


class PolicyReports:
    """Writes one object per namespace and kind, and deletes those of namespaces in which nothing was found.

    It needs `get`, `create`, `patch` and `delete` on `policyreports.wgpolicyk8s.io` and `reports.openreports.io`.
    """

    def __init__(self, credentials: Credentials) -> None:
        headers = {"Content-Type": "application/apply-patch+yaml"}
        self._api = ApiServer(credentials, Bounds(), Pace(), Silence(), headers)

    async def write(self, report: Report) -> tuple[int, Sequence[str]]:
        """How many objects were written, and what went wrong. Raises StartError where the cluster has neither kind."""
        await self._api.open()
        try:
            forms = [form for form in FORMS if await self._is_served(form)]
            if not forms:
                kinds = " nor ".join(f"{form.plural}.{form.group}/{form.version}" for form in FORMS)
                raise StartError(
                    f"the cluster has neither {kinds}: install the definitions of one of them, or leave out --write-reports"
                )
            return await self._write(report, forms)
        finally:
            await self._api.close()

    async def _write(self, report: Report, forms: Sequence[Form]) -> tuple[int, Sequence[str]]:
        turns = asyncio.Semaphore(AT_ONCE)
        problems: dict[str, str] = {}

        async def write(form: Form, namespace: Namespace) -> bool:
            path = form.path(namespace.name)
            async with turns:
                try:
                    if namespace.findings:
                        await self._api.send("PATCH", f"{path}?{_APPLY}", policy_report(form, namespace, report))
                        return True
                    await self._delete(path)
                except ApiError as error:
                    if error.status == FORBIDDEN:
                        # It is the same for all namespaces, as a rule.
                        problems[form.group] = f"no right to write {form.plural}.{form.group} ({error})"
                    else:
                        problems[path] = f"{path} is not written ({error})"
                return False

        written = await asyncio.gather(*(write(form, each) for form in forms for each in report.namespaces))
        return sum(written), [problems[key] for key in sorted(problems)]

    async def _is_served(self, form: Form) -> bool:
        try:
            found = await self._api.get(f"/apis/{form.api_version}")
        except ApiError as error:
            if error.status == NOT_FOUND:
                return False
            raise StartError(f"the cluster does not say whether it has {form.plural}.{form.group}: {error}") from error
        return f'"{form.plural}"'.encode() in found

    async def _delete(self, path: str) -> None:
        """Take away a report of ours that nothing is left to say in."""
        try:
            found = msgspec.json.decode(await self._api.get(path), type=_Labelled)
        except ApiError as error:
            if error.status == NOT_FOUND:
                return
            raise
        if (found.metadata.labels or {}).get(MANAGED_BY) == NAME:
            await self._api.send("DELETE", path)
