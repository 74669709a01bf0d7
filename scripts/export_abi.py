"""Write frontend-abi/: ABIs as JSON and TypeScript, events, revert reasons, addresses, and what is signed off chain.

`python scripts/export_abi.py` writes them; with --check it writes nothing and fails if they are not as they should be.
"""

import json
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import click
from eth_utils.abi import abi_to_signature, event_abi_to_log_topic
from vyper import ast as vy_ast
from web3 import Web3

from tessera.chain import hosted_bets, panels
from tessera.chain.deployments import LOCAL_CHAINS, Deployment
from tessera.chain.reasons import explanations
from tessera.deployment.artifacts import ROOT, Artifact, compiled, imported_sources
from tessera.model.sessions import record, typed

OUT = ROOT / "frontend-abi"
HEADER = "// Written by scripts/export_abi.py. Do not edit.\n\n"
PACK_OFFER = """\
type OfferWords = { [word in (typeof offerLayout)[number]["word"]]: bigint };

/** An offer's terms: addresses as 0x hex, everything else a number. */
export type OfferTerms = { readonly [field in (typeof offerLayout)[number]["field"]]: bigint | `0x${string}` };

/** The words of an offer, as the contract takes them and the operator signs them. Throws where a number has no room. */
export function packOffer(terms: OfferTerms): OfferWords {
  const words: OfferWords = { player_word: 0n, session_word: 0n, house_word: 0n, caps_word: 0n, times_word: 0n };
  for (const { word, field, shift, bits } of offerLayout) {
    const value = BigInt(terms[field]);
    if (value < 0n || value >> BigInt(bits) !== 0n) throw new RangeError(`an offer's ${field} has ${bits} bits`);
    words[word] |= value << BigInt(shift);
  }
  return words;
}

/** The terms of an offer; addresses in lower case. */
export function unpackOffer(words: OfferWords): OfferTerms {
  const terms = offerLayout.map(({ word, field, shift, bits }) => {
    const value = (words[word] >> BigInt(shift)) & ((1n << BigInt(bits)) - 1n);
    return [field, bits === 160 ? `0x${value.toString(16).padStart(40, "0")}` : value];
  });
  return Object.fromEntries(terms) as OfferTerms;
}
"""


def deployables() -> list[Artifact]:
    """Every contract that is deployed by itself, compiled."""
    return [compiled(path.stem) for path in sorted((ROOT / "contracts").glob("*.vy"))]


def reasons_of(artifact: Artifact) -> list[str]:
    """The texts that a contract's own code can revert with, sorted.

    All reasons in its source and in what that imports, less those that the compiler left out with functions that
    nobody calls. A text of over 32 bytes is cut into words: the first is looked for.
    """
    code = artifact.initcode + artifact.runtime
    written = {reason for path in imported_sources(artifact.name) for reason in written_in(path)}
    return sorted(reason for reason in written if reason.encode()[:32] in code)


@cache
def written_in(path: Path) -> frozenset[str]:
    """The texts of one source file that have the form of a reason, `file: what is wrong`."""
    texts = (node.value for node in vy_ast.parse_to_ast(path.read_text()).get_descendants(vy_ast.Str))
    return frozenset(text for text in texts if re.fullmatch(r"[a-z0-9_]+: [^\n]+", text))


def errors(artifacts: list[Artifact]) -> dict[str, dict]:
    """Reason to the contracts that give it and what a person can do about it ("" where the reason says it)."""
    contracts = defaultdict(list)
    for artifact in artifacts:
        for reason in reasons_of(artifact):
            contracts[reason].append(artifact.name)
    known = explanations()
    return {
        reason: {"contracts": names, "advice": known.get(reason, "")} for reason, names in sorted(contracts.items())
    }


def events(artifacts: list[Artifact]) -> list[dict]:
    """Every event: contract, name, signature and topic."""
    return [
        {
            "contract": artifact.name,
            "name": item["name"],
            "signature": abi_to_signature(item),
            "topic": Web3.to_hex(event_abi_to_log_topic(item)),
        }
        for artifact in artifacts
        for item in artifact.abi
        if item["type"] == "event"
    ]


def addresses() -> dict[int, dict[str, str]]:
    """The addresses of each public deployment by chain id. Raises ClickException where a chain has two records."""
    by_chain = {}
    for path in sorted((ROOT / "deployments").glob("*.json")):
        record = Deployment.load(path)
        if record.chain_id in LOCAL_CHAINS or path.stem.endswith("-fork"):
            continue
        if record.chain_id in by_chain:
            raise click.ClickException(f"{path.name} is a second record of chain {record.chain_id}")
        by_chain[record.chain_id] = record.addresses
    return by_chain


def rows(items: list) -> str:
    """A JSON list, one item a line: short, and a diff shows what changed."""
    return "[\n" + ",\n".join(f"  {json.dumps(item)}" for item in items) + "\n]"


def entries(items: dict) -> str:
    """A JSON object, one key a line."""
    return "{\n" + ",\n".join(f"  {json.dumps(str(key))}: {json.dumps(item)}" for key, item in items.items()) + "\n}"


def fields(text: str) -> list[dict[str, str]]:
    """Fields written as in Solidity, `uint256 n,bytes32 head`, as ABI parameters."""
    return [{"name": name, "type": kind} for kind, name in (pair.split() for pair in text.split(","))]


def signed() -> str:
    """What is signed about hosted bets, sessions and results, as TypeScript: EIP-712 types, an offer's words, heads."""
    layout = [
        {"word": word, "field": field, "shift": shift, "bits": bits} for word, field, shift, bits in typed.OFFER_LAYOUT
    ]
    domain = {"name": typed.NAME, "version": typed.VERSION}
    reports = {"name": panels.DOMAIN_NAME, "version": panels.DOMAIN_VERSION}
    return (
        f"{HEADER}/** The version in the domains `Tessera ProrataBets` and `Tessera OddsBets`. */\n"
        f"export const hostedVersion = {json.dumps(hosted_bets.VERSION)};\n\n"
        "/** EIP-712 types of what is signed about hosted bets: by a player, by a host who offers a listing. */\n"
        f"export const hostedTypes = {entries(hosted_bets.BET_TYPE | hosted_bets.OFFER_TYPE)} as const;\n\n"
        "/** The domain of sessions, less chainId and verifyingContract (MicroSessions). */\n"
        f"export const sessionsDomain = {json.dumps(domain)} as const;\n\n"
        "/** EIP-712 types of what is signed about sessions. */\n"
        f"export const sessionTypes = {entries(typed.TYPES)} as const;\n\n"
        "/** The domain of reports, less chainId and verifyingContract (Panels). */\n"
        f"export const reportsDomain = {json.dumps(reports)} as const;\n\n"
        "/** EIP-712 type of what observers report to Panels: results, and books as outcome 1. */\n"
        f"export const reportTypes = {entries(panels.REPORT_TYPE)} as const;\n\n"
        "/** A stream's head is keccak256 of these, ABI-encoded: the first one, then one for each line. */\n"
        f"export const firstHeadFields = {rows(fields(record.FIRST_HEAD_FIELDS))} as const;\n"
        f"export const headFields = {rows(fields(record.HEAD_FIELDS))} as const;\n\n"
        "/** Where an offer's terms are in its words. */\n"
        f"export const offerLayout = {rows(layout)} as const;\n\n"
        f"{PACK_OFFER}"
    )


def variable(name: str) -> str:
    """PlayEuro -> playEuro."""
    return name[0].lower() + name[1:]


def files() -> dict[str, str]:
    """What frontend-abi/ should hold, path to text."""
    artifacts = deployables()
    names = [artifact.name for artifact in artifacts]
    texts = {}
    for artifact in artifacts:
        abi = rows(artifact.abi)
        texts[f"json/{artifact.name}.json"] = f"{abi}\n"
        name = variable(artifact.name)
        texts[f"ts/{name}.ts"] = f"{HEADER}export const {name}Abi = {abi} as const;\n"
    catalogue = entries(errors(artifacts))
    texts["errors.json"] = f"{catalogue}\n"
    texts["ts/errors.ts"] = (
        f"{HEADER}/** Every text a contract can revert with. Calls pass on those of the contracts they call, too. */\n"
        f"export const errors = {catalogue} as const;\n\nexport type Reason = keyof typeof errors;\n"
    )
    texts["ts/events.ts"] = f"{HEADER}export const events = {rows(events(artifacts))} as const;\n"
    union = " | ".join(json.dumps(name) for name in names)
    texts["ts/addresses.ts"] = (
        f"{HEADER}export type ContractName = {union};\n\n"
        "export type Addresses = { readonly [name in ContractName]?: `0x${string}` };\n\n"
        "/** Public deployments by chain id. */\n"
        f"export const addresses: {{ readonly [chainId: number]: Addresses }} = {entries(addresses())};\n\n"
        "/** What a local devnet writes to devnet.json, for a page to fetch at run time. */\n"
        "export type Devnet = {\n"
        "  readonly chainId: number;\n  readonly rpcUrl: string;\n  readonly firstBlock: number;\n"
        "  readonly addresses: Addresses;\n};\n"
    )
    texts["ts/signed.ts"] = signed()
    modules = [*map(variable, names), "errors", "events", "addresses", "signed"]
    texts["ts/index.ts"] = HEADER + "".join(f'export * from "./{module}.js";\n' for module in modules)
    return texts


@click.command(help=__doc__)
@click.option("--check", is_flag=True, help="Write nothing; fail if something would change.")
def cli(check: bool):
    wanted = files()
    kept = {str(path.relative_to(OUT)) for folder in ("json", "ts") for path in (OUT / folder).glob("*")}
    stale = sorted(kept - set(wanted))
    changed = [name for name, text in wanted.items() if not (OUT / name).exists() or (OUT / name).read_text() != text]
    if check:
        if stale or changed:
            raise click.ClickException(
                f"frontend-abi/ is behind the contracts: {', '.join(changed + stale)}. Run scripts/export_abi.py."
            )
        click.echo(f"frontend-abi/: {len(wanted)} files as they should be")
        return
    for name in stale:
        (OUT / name).unlink()
    for name in changed:
        (OUT / name).parent.mkdir(parents=True, exist_ok=True)
        (OUT / name).write_text(wanted[name])
    click.echo(f"frontend-abi/: {len(changed)} files written, {len(stale)} removed, {len(wanted)} in all")


if __name__ == "__main__":
    cli()
