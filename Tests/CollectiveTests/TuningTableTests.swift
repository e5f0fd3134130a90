import Foundation
import TestSupport
import Testing

@testable import Collective

private let example = TuningTable(
  conditions: .init(
    ranks: 6, ranksPerNode: [2, 2, 2], sharesMemory: true, mpi: "Open MPI v4.1.4",
    kernels: "avx2", elementWidth: 4),
  canonical: [
    .init(bytes: 4, method: .hierarchical, microseconds: 2.5),
    .init(bytes: 1 << 20, method: .schedule(.direct), microseconds: 500_000),
  ],
  anyOrder: [.init(bytes: 4, method: .schedule(.ring), microseconds: 2)])

@Test("a tuning table reads back as it was written")
func tableRoundTrip() throws {
  let folder = try TemporaryDirectory()
  let path = folder.path + "/table.json"
  try example.json().write(to: URL(fileURLWithPath: path))
  #expect(try TuningTable(contentsOf: path) == example)
  #expect(String(decoding: try example.json(), as: UTF8.self).contains(#""ranks-per-node" : ["#))
}

@Test("an entry holds from its size class up to the next entry's, and the first one below too")
func tableEntries() {
  func method(_ bytes: Int, _ canonical: Bool) -> AllreduceMethod {
    example.entry(for: SizeClass(bytes: bytes), canonical: canonical).method
  }
  #expect(method(1, true) == .hierarchical)
  #expect(method((1 << 20) - 1, true) == .hierarchical)
  #expect(method(1 << 20, true) == .schedule(.direct))
  #expect(method(1 << 30, true) == .schedule(.direct))
  #expect(method(1 << 20, false) == .schedule(.ring))
}

@Test(
  "a malformed table is refused with what is wrong in it",
  arguments: [
    (#""format" : 1"#, #""format" : 2"#, "format 2 of tuning tables is unknown"),
    (#""format" : 1"#, #""format" : "x""#, "format is not a whole number"),
    (#""format""#, #""version""#, "format is missing"),
    (#""measured-on""#, #""where""#, "measured-on is missing"),
    (#""ranks" : 6"#, #""ranks" : 5"#, "ranks-per-node must add up to ranks"),
    (#""shared-memory" : true"#, #""shared-memory" : 1"#, "shared-memory is not true or false"),
    (#""shared-memory" : true"#, #""shared-memory" : false"#, "hierarchical needs shared memory"),
    (#""direct""#, #""star""#, "canonical[1]: method 'star' is none of ring, tree"),
    (#""direct""#, #""ring""#, "canonical[1]: ring does not follow the canonical tree on 6 ranks"),
    (#""bytes" : 1048576"#, #""bytes" : 4"#, "canonical[1]: bytes must be positive and ascend"),
    (#""bytes" : 1048576"#, #""size" : 4"#, "canonical[1].bytes is missing"),
    (#""microseconds" : 500000"#, #""microseconds" : 0"#, "microseconds must be positive, found 0"),
    ("{", "", "not valid JSON"),
    ("}", "", "not valid JSON"),
  ] as [(String, String, String)])
func malformedTable(part: String, replacement: String, reason: String) throws {
  let folder = try TemporaryDirectory()
  let text = String(decoding: try example.json(), as: UTF8.self)
  #expect(text.contains(part))
  let path = try folder.file(
    "table.json", text.replacingOccurrences(of: part, with: replacement))
  let error = #expect(throws: TuningTableError.self) { _ = try TuningTable(contentsOf: path) }
  #expect(error?.kind == .malformed)
  #expect(error?.description.hasPrefix(path + ": ") == true)
  #expect(error?.reason.contains(reason) == true, "\(error?.reason ?? "")")
}

@Test("a table without entries, one that is not there, and a directory in its place")
func noTable() throws {
  #expect(throws: MalformedTable.self) {
    _ = try TuningTable(
      json: Data(
        """
        {"format": 1, "canonical": [], "any-order": [], "measured-on": {"ranks": 1,
        "ranks-per-node": [1], "shared-memory": false, "mpi": "", "kernels": "", "element-width": 4}}
        """.utf8))
  }
  let folder = try TemporaryDirectory()
  let missing = #expect(throws: TuningTableError.self) {
    _ = try TuningTable(contentsOf: folder.path + "/none")
  }
  #expect(missing?.kind == .missing)
  let directory = #expect(throws: TuningTableError.self) {
    _ = try TuningTable(contentsOf: folder.path)
  }
  #expect(directory?.kind == .unreadable)
}
