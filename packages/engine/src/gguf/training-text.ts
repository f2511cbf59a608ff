const prose = `A prompt is read before it is answered. The model goes through it token by token, layer by layer, and for each
token it keeps a key and a value. When another prompt begins with the same words, those keys and values are already there,
and the work need not be done again. This is the whole idea of a prefix cache. It saves time for the person who waits, and
money for the person who pays. Everything else is a question of where to keep the state, how to find it, and when to let
it go.

The order of things matters. What is the same for everyone should come first: the instructions, the rules of the house,
the list of tools. Then comes what is the same for one customer, then the history of the conversation, and at the very end
the question that was just asked. If a date or a name stands at the top, nothing behind it can be shared, because one
changed token changes all that follows. So put the stable part at the start, and the part that changes at the end.

You are a helpful assistant. You answer questions about orders, deliveries and returns for an online shop. Be polite and
brief. If you do not know the answer, say so and offer to pass the question on to a human colleague. Never make up a
price, a date or an order number. When the customer is angry, stay calm, say that you are sorry for the trouble, and
explain what will happen next. Do not talk about other customers. Use the tools to look up an order before you answer.

You are an expert programmer who reviews changes to a large code base. Read the difference below, then list the problems
you see, the most important first. For each problem give the file, the line, what is wrong and how it could be fixed. Do
not comment on style when a formatter could do it. Look for missing tests, errors that are not handled, values that might
be undefined, loops that never end, and data that could leak from one user to another. Please think step by step.

The following documents are part of the knowledge base. Each of them has a title, a source and a text. Answer the
question with the help of these documents only, and name the sources that you used. If the documents contradict each
other, say which of them is newer. Where they say nothing about the question, write that you could not find an answer.

The weather in the mountains changes quickly. In the morning the sky was clear, but by the afternoon there was rain in the
valley and snow on the higher ground. The children had been playing outside with the dog when they heard their mother
calling. They ran back to the house, where a fire was burning and the table was set for dinner. "Where have you been?" she
asked. "We were looking for you everywhere." Nobody answered at first. Then the youngest said: "We found a small boat near
the river, and we thought that we could take it across to the other side." Their father laughed and shook his head.

Companies that run a service for many people learn to measure it. How long does the first word take to arrive? How many
requests can one machine answer in a second? What does a thousand tokens cost, and how much of that was spent twice? A
report that shows the average hides the slow ones, so look at the worst one in a hundred as well. If something became
slower since last week, there is usually a reason, and the reason is usually a change that somebody made.

Dear Anna, thank you for your letter of last month. I was very happy to hear that you and your family are well and that the
new school is going better than you had expected. Here everything is much the same. The work on the garden is almost done;
we only need to paint the fence and plant two more trees before the winter comes. Please let us know when you would like
to visit us. The best time would be in the spring or early summer, when it is warm but not too hot. Yours, Martin

To install the program, download the archive for your system, unpack it and run the setup. You will need administrator
rights. After the installation, open the settings, choose a language, and enter the address of the server and your key.
Save the file and start the service again. If it does not start, look into the log: it says which setting is wrong. For
further help, see the documentation, or write to the support team and attach the log and a description of the problem.

# Summary

- **First point**: the system should return a clear message when an input is not valid.
- **Second point**: the tests must pass before a change is merged into the main branch.
- Third point: keep the interface small, and describe what each function does, what it returns and when it fails.

1. Read the request and check that it is complete.
2. Find the longest prefix that is already stored.
3. Evaluate the remaining tokens, and generate the response.

| Name | Type | Default | Description |
| --- | --- | --- | --- |
| model | string | none | The name of the model that answers the request. |
| temperature | number | 1.0 | Higher values make the output more random. |
| max_tokens | integer | 1024 | The largest number of tokens to generate. |

User: What is the difference between the two versions? Assistant: The first version reads the file once; the second reads
it again for every request. Today is Monday, January 15, 2024, and the time is 10:30. It isn't clear, but I don't think it's
wrong; we'll see, you're right, they've said that he'd come, and she can't wait.
`

const code = `import { readFile, writeFile } from 'node:fs/promises'
import type { Request, Response } from './types.ts'

/** Returns the items of a list in the order in which they were created. */
export async function listItems(request: Request, options: Options = {}): Promise<Item[]> {
  const { limit = 100, offset = 0 } = options
  if (limit < 1 || limit > 1000) {
    throw new Error(\`limit must be between 1 and 1000, but it is \${limit}\`)
  }
  const items = await store.find({ user: request.user, limit, offset })
  return items.filter((item) => item.deleted === false).map((item) => ({ ...item, name: item.name.trim() }))
}

export class Counter {
  readonly name: string
  private values = new Map<string, number>()

  constructor(name: string) {
    this.name = name
  }

  add(key: string, value = 1): void {
    this.values.set(key, (this.values.get(key) ?? 0) + value)
  }

  get total(): number {
    let sum = 0
    for (const value of this.values.values()) sum += value
    return sum
  }
}

function parseLine(line) {
  const index = line.indexOf('=')
  if (index === -1) return null
  const key = line.slice(0, index)
  const value = line.slice(index + 1)
  return { key, value }
}

try {
  const text = await readFile(path, 'utf8')
  for (let i = 0; i < lines.length; i++) {
    console.log(i, lines[i])
  }
} catch (error) {
  console.error('could not read the file', error)
  process.exit(1)
}

const result = await client.chat.completions.create({
  model: 'demo',
  messages: [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content: 'Hello, world!' },
  ],
  stream: true,
})

import os
import json
from dataclasses import dataclass
from typing import Any, Optional

@dataclass
class Order:
    id: int
    customer: str
    items: list[str]
    total: float = 0.0
    status: Optional[str] = None

    def is_open(self) -> bool:
        return self.status not in ("closed", "cancelled")

def load_orders(path: str) -> dict[int, Order]:
    """Read all orders from a file and return them by their id."""
    orders = {}
    with open(path, "r", encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            if record.get("id") is None:
                continue
            orders[record["id"]] = Order(**record)
    return orders

def main() -> None:
    parser = argparse.ArgumentParser(description="Print the open orders.")
    parser.add_argument("--path", default=os.environ.get("ORDERS_PATH"))
    args = parser.parse_args()
    for order in load_orders(args.path).values():
        if order.is_open():
            print(f"{order.id}: {order.customer} ({order.total:.2f})")

if __name__ == "__main__":
    main()

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	if err := s.check(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "ok\\n")
}

SELECT users.id, users.name, COUNT(orders.id) AS orders FROM users LEFT JOIN orders ON orders.user_id = users.id
WHERE users.created_at > '2024-01-01' GROUP BY users.id, users.name ORDER BY orders DESC LIMIT 10;

int main(int argc, char *argv[]) {
    for (int i = 0; i < argc; i++) {
        printf("%d: %s\\n", i, argv[i]);
    }
    return 0;
}

<div class="container"><h1>Title</h1><p>Some <a href="https://example.com/index.html">text</a></p></div>

curl -X POST http://localhost:8080/v1/chat/completions -H "Content-Type: application/json" -d @body.json
git commit -m "fix: return an error when the list is empty"
test('returns an empty list when nothing was found', async () => {
  expect(await listItems(request)).toEqual([])
})
`

const data = `{
  "type": "function",
  "function": {
    "name": "get_current_weather",
    "description": "Get the current weather in a given location",
    "parameters": {
      "type": "object",
      "properties": {
        "location": { "type": "string", "description": "The city and the country" },
        "unit": { "type": "string", "enum": ["celsius", "fahrenheit"] }
      },
      "required": ["location"],
      "additionalProperties": false
    }
  }
}
{"type":"function","function":{"name":"search_orders","description":"Search the orders of a customer","parameters":{"type":"object","properties":{"customer_id":{"type":"string","description":"The id of the customer"},"status":{"type":"string","enum":["open","closed"]},"limit":{"type":"integer","minimum":1,"maximum":100}},"required":["customer_id"]}}}
{"name":"read_file","description":"Read a file from the workspace","input_schema":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}
{"id":"msg_01","type":"message","role":"assistant","content":[{"type":"text","text":"Hello"}],"stop_reason":"end_turn","usage":{"input_tokens":25,"output_tokens":10,"cache_read_input_tokens":0}}
[{"id": 1, "name": "first", "value": 0.5, "tags": ["a", "b"], "active": true}, {"id": 2, "name": "second", "value": null}]
{"role": "user", "content": "What is the status of my order?"}
{"role": "tool", "tool_call_id": "call_1", "content": "{\\"status\\": \\"shipped\\", \\"date\\": \\"2024-03-10\\"}"}
server:
  host: 127.0.0.1
  port: 8080
  timeout: 30
models:
  - name: default
    path: /data/models/default.bin
`

const commonWords = `the of and to in a is that for it as was with be by on not he his but at are this have from or had an they
which one you were all her she there would their we him been has when who will no more if out so up said what its about than
into them can only other time new some could these two may first then do any like my now over such our man me even most made
after also did many off before must well back through years much where your way down should because long each just state those
people too mister how little good world make very year still see own work men day get here old life both between being under
three never know same last another while us might great go come since against right came take used himself few house use during
without again place american around however home small found thought went say part once general high upon school every don does
got united left number course war until always away something fact water though less public put think almost hand enough far
took head yet government system better set told nothing night end why called find going look asked later knew point next
program city business give group toward young days let room within given several often present side large order rather second
possible per among face important things early national social four best power line others word others set whole case best eyes
light interest want country need name thing family done turned area feet seemed church mind open kind problem today service
half matter began either whether door early sense child car law woman report body history action air certain free idea five
study god full question money morning several change company clear example became local result level view moment field north
south east west paper job week form reason real experience education effect human value age death art control able short
above road person love political special further major figure act taken available heart process community help means type
mother father woman together likely personal held whose total show force center nature board sure term common cost front cut
plan party research feel behind hard working position office according true near land age market ground million main million
answer book letter language sound voice table music story film picture key piece future past simple single object method test
model token tokens prompt prefix cache request response message messages user system assistant tool tools function content
role input output string number boolean array object type value values key index length count size limit offset error errors
data file files path name names list item items map set get add remove update delete create read write open close start stop
send receive call return result results check find search match replace split join parse format print log test tests run build
import export const let function class interface type extends implements public private static readonly async await return
throw new null undefined true false this if else for while switch case break continue default try catch finally def self None
True False print range len str int float dict list tuple lambda with yield raise except pass elif and not in is server client
address port host connection network session query table column row database index key schema version release change changes
branch commit merge pull review issue bug feature fix document documents section page title text line lines word words sentence
paragraph character characters language english german french spanish weather temperature location city country street order
orders customer customers product products price prices amount total payment invoice account accounts password email phone date
time hour hours minute minutes second seconds day week month months year january february march april june july august
september october november december monday tuesday wednesday thursday friday saturday sunday zero one two three four five six
seven eight nine ten hundred thousand million first third fourth last next previous current old young big small long short high
low fast slow hot cold warm easy difficult important different similar same other new early late possible impossible correct
wrong good bad better best worse clear simple complete empty full ready available required optional allowed expected unknown
information knowledge question questions answer answers example examples description explanation summary introduction analysis
instruction instructions policy rule rules step steps task tasks project goal option options choice decision process method
approach solution support provide include contains following using based according between within without during because
therefore however although instead usually always never sometimes often perhaps maybe please thank sorry welcome hello yes no
create creates created creating use uses used using make makes making write writes writing written read reads reading give gives
given giving take takes taking see sees seen seeing know knows known knowing think thinks thinking want wants wanted need needs
needed try tries tried trying keep keeps kept keeping begin begins beginning happen happens happened explain explains explained
consider considered continue continued describe described develop developed development management government environment
experience performance difference reference sequence evidence science office notice service device practice memory history
category library directory property security quality quantity activity ability community opportunity responsibility university
national international additional traditional professional original personal natural physical political technical critical
application operation situation position condition relation function action direction production education communication
organization configuration implementation documentation authentication authorization evaluation generation conversation
attention connection collection selection protection transaction permission version session discussion decision conclusion
through thought enough although right night light might fight high eight weight straight brought bought taught caught daughter`

/**
 * What the vocabularies of our own models are trained on: common English words, prose, code and data
 * of the kinds that prompts hold. Changing a character changes every synthetic model and its hash.
 */
export const trainingText: string = `${prose}\n${code}\n${data}`.repeat(2) + ` ${commonWords}`.repeat(2)
