// The trace of the page that TRACE_PAGE names, as the program decodes it.
import { readFileSync } from "node:fs";
import { decode } from "../assets/data.js";

const page = readFileSync(process.env.TRACE_PAGE, "utf8");
export const trace = decode(JSON.parse(page.match(/<script type="application\/json" id="trace">(.*?)<\/script>/s)[1]));
