/** Searching, as operators see it: what was asked, one trial after the other, how is searched, and what places are called. */

import { el } from "../../dom.js";
import { createSearchAliases } from "./search_aliases.js";
import { createSearchConfig } from "./search_config.js";
import { createSearchFigures } from "./search_figures.js";
import { createSearchQueries } from "./search_queries.js";
import { createSearchTrial } from "./search_trial.js";

const PARTS = [
  ["queries", "Queries"],
  ["figures", "Figures"],
  ["try", "Try a search"],
  ["config", "Configuration"],
  ["aliases", "Names of places"],
];

/** @param chosen what was chosen on these pages before, and is to be found again: theirs to fill. */
export function createSearch({ api, announce, credentials, chosen }) {
  for (const name of ["queries", "aliases"]) chosen[name] ??= {};
  const makers = {
    queries: () => createSearchQueries({ api, chosen: chosen.queries }),
    figures: () => createSearchFigures({ api }),
    try: () => createSearchTrial({ api, isPerson: credentials.kind === "token" }),
    config: () => createSearchConfig({ api, announce }),
    aliases: () => createSearchAliases({ api, announce, isPerson: credentials.kind === "token", chosen: chosen.aliases }),
  };
  const links = PARTS.map(([name, label]) => el("a", { class: "chip", href: addressOf(name) }, label));
  const body = el("div", {});
  const element = el(
    "div",
    { class: "search-page" },
    el("nav", { class: "chips", "aria-label": "Search" }, ...links),
    body,
  );
  let openName = null;
  let part = null;

  return {
    element,
    /** @param path `/<part>` or `/<part>/<what of it>`; null for the first part. */
    goTo(path) {
      const [wanted, ...rest] = (path ?? "/queries").slice(1).split("/");
      const name = makers[wanted] ? wanted : "queries";
      if (name !== openName) {
        part?.close?.();
        openName = name;
        part = makers[name]();
        body.replaceChildren(part.element);
        for (const link of links)
          if (link.hash === addressOf(name)) link.setAttribute("aria-current", "page");
          else link.removeAttribute("aria-current");
      }
      part.goTo?.(rest.join("/") || null);
    },
    close: () => part?.close?.(),
  };
}

const addressOf = (name) => (name === "queries" ? "#/search" : `#/search/${name}`);
