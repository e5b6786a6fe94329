// SPDX-License-Identifier: Apache-2.0
// One call, written in the languages that subscribers use.
export interface Call {
  method: string
  url: string
  headers: [name: string, value: string][]
  body?: string
}

const shell = (s: string) => `'${s.replace(/'/g, `'\\''`)}'`
/** A string literal of JavaScript, Python, Java, Go; JSON's escapes are theirs too. */
const quoted = (s: string) => JSON.stringify(s)
const csharp = quoted

const lines = (...parts: (string | false | undefined)[]) => parts.filter((x) => x !== false && x !== undefined).join('\n')

function curl({ method, url, headers, body }: Call) {
  const parts = [`curl ${method === 'GET' ? '' : method === 'HEAD' ? '--head ' : `-X ${method} `}${shell(url)}`,
    ...headers.map(([n, v]) => `-H ${shell(`${n}: ${v}`)}`), ...(body ? [`-d ${shell(body)}`] : [])]
  return parts.join(' \\\n     ')
}

function javascript({ method, url, headers, body }: Call) {
  return lines(
    `const response = await fetch(${quoted(url)}, {`,
    method !== 'GET' && `  method: ${quoted(method)},`,
    headers.length > 0 && `  headers: {`,
    ...headers.map(([n, v]) => `    ${quoted(n)}: ${quoted(v)},`),
    headers.length > 0 && `  },`,
    !!body && `  body: ${quoted(body)},`,
    `})`,
    `console.log(response.status, await response.text())`)
}

function python({ method, url, headers, body }: Call) {
  return lines(
    `import requests`, ``,
    `response = requests.request(`,
    `    ${quoted(method)},`,
    `    ${quoted(url)},`,
    headers.length > 0 && `    headers={`,
    ...headers.map(([n, v]) => `        ${quoted(n)}: ${quoted(v)},`),
    headers.length > 0 && `    },`,
    !!body && `    data=${quoted(body)}.encode(),`,
    `    timeout=30,`,
    `)`,
    `print(response.status_code, response.text)`)
}

function java({ method, url, headers, body }: Call) {
  return lines(
    `import java.net.URI;`, `import java.net.http.*;`, ``,
    `var request = HttpRequest.newBuilder(URI.create(${quoted(url)}))`,
    ...headers.map(([n, v]) => `    .header(${quoted(n)}, ${quoted(v)})`),
    `    .method(${quoted(method)}, HttpRequest.BodyPublishers.${body ? `ofString(${quoted(body)})` : 'noBody()'})`,
    `    .build();`,
    `var response = HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());`,
    `System.out.println(response.statusCode() + " " + response.body());`)
}

function go({ method, url, headers, body }: Call) {
  return lines(
    `package main`, ``,
    `import (`, `\t"fmt"`, `\t"io"`, `\t"net/http"`, !!body && `\t"strings"`, `)`, ``,
    `func main() {`,
    `\trequest, err := http.NewRequest(${quoted(method)}, ${quoted(url)}, ${body ? `strings.NewReader(${quoted(body)})` : 'nil'})`,
    `\tif err != nil {`, `\t\tpanic(err)`, `\t}`,
    ...headers.map(([n, v]) => `\trequest.Header.Set(${quoted(n)}, ${quoted(v)})`),
    `\tresponse, err := http.DefaultClient.Do(request)`,
    `\tif err != nil {`, `\t\tpanic(err)`, `\t}`,
    `\tdefer response.Body.Close()`,
    `\tbody, _ := io.ReadAll(response.Body)`,
    `\tfmt.Println(response.Status, string(body))`,
    `}`)
}

function dotnet({ method, url, headers, body }: Call) {
  const type = headers.find(([n]) => n.toLowerCase() === 'content-type')?.[1]
  return lines(
    !!body && `using System.Text;`, !!body && ``,
    `using var client = new HttpClient();`,
    `using var request = new HttpRequestMessage(new HttpMethod(${csharp(method)}), ${csharp(url)});`,
    ...headers.filter(([n]) => n.toLowerCase() !== 'content-type').map(([n, v]) => `request.Headers.TryAddWithoutValidation(${csharp(n)}, ${csharp(v)});`),
    !!body && `request.Content = new StringContent(${csharp(body)}, Encoding.UTF8, ${csharp(type ?? 'application/json')});`,
    `using var response = await client.SendAsync(request);`,
    `Console.WriteLine($"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync()}");`)
}

export const languages: [name: string, write: (call: Call) => string][] = [
  ['curl', curl], ['JavaScript', javascript], ['Python', python], ['Java', java], ['Go', go], ['C#', dotnet],
]
