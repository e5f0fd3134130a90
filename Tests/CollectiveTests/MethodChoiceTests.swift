import Testing

@testable import Collective

/// What rank 0 was told while allreduces of these counts ran, `hasMeasured` if that links had been
/// measured. Every sum must be right on every rank.
private func logged(
  _ counts: [Int], nodes: NodeMap, choice: MethodChoice, canonical: Bool = true
) throws -> (lines: [String], warnings: [String], hasMeasured: Bool) {
  let results = try LoopbackTransport.run(ranks: nodes.size, nodes: nodes) { transport in
    var lines: [String] = []
    var warnings: [String] = []
    var options = ProcessGroup.Options()
    options.choice = choice
    options.isCanonical = canonical
    // Where no rank shares a node, these tests are of messages between all.
    options.usesSharedMemory = nodes.nodes.count < nodes.size
    options.log = { lines.append($0) }
    options.warn = { warnings.append($0) }
    let group = try ProcessGroup(transport, options: options)
    for count in counts {
      var values = (0..<count).map { Float($0 + transport.rank) }
      try values.withUnsafeMutableBufferPointer { try group.allreduce($0) }
      let offsets = group.size * (group.size - 1) / 2
      for index in 0..<count where values[index] != Float(group.size * index + offsets) {
        Issue.record("rank \(transport.rank), count \(count), element \(index)")
        break
      }
    }
    return (lines, warnings)
  }
  for result in results.dropFirst() {
    #expect(result.0.isEmpty && result.1.isEmpty, "only rank 0 speaks")
  }
  var (lines, warnings) = results[0]
  let hasMeasured = lines.first?.wholeMatch(of: #/links measured in [0-9]+\.[0-9]{2} s/#) != nil
  if hasMeasured { lines.removeFirst() }
  return (lines, warnings, hasMeasured)
}

private func table(
  _ ranksPerNode: [Int], sharesMemory: Bool, _ methods: [(Int, AllreduceMethod)]
) -> TuningTable {
  let entries = methods.map { TuningTable.Entry(bytes: $0.0, method: $0.1, microseconds: 10) }
  return TuningTable(
    conditions: .init(
      ranks: ranksPerNode.reduce(0, +), ranksPerNode: ranksPerNode, sharesMemory: sharesMemory,
      mpi: "none", kernels: "baseline", elementWidth: 4),
    canonical: entries, anyOrder: entries)
}

@Test("what a group chose is said once for each size class", arguments: [2, 3, 4])
func loggedOnce(ranks: Int) throws {
  let nodes = NodeMap(keys: Array(0..<ranks))
  let lines = try logged([1, 16, 17, 31, 1, 16, 300_000, 0], nodes: nodes, choice: .rules).lines
  let small = ranks == 3 ? "direct" : "recursive-doubling"
  let large = ranks == 3 ? "direct" : "halving-doubling"
  #expect(
    lines == [
      "allreduce of 4 B to 8 B: \(small) (rules)", "allreduce of 64 B to 128 B: \(small) (rules)",
      "allreduce of 1 MB to 2 MB: \(large) (rules)", "allreduce of 0 B: \(small) (rules)",
    ])
}

@Test("where a node's ranks share memory there is nothing to measure", arguments: [2, 3])
func nothingToMeasure(ranks: Int) throws {
  let nodes = NodeMap(keys: Array(repeating: 0, count: ranks))
  let found = try logged([1, 1, 100_000], nodes: nodes, choice: .measured)
  #expect(!found.hasMeasured)
  #expect(
    found.lines == [
      "allreduce of 4 B to 8 B: hierarchical (shared memory)",
      "allreduce of 256 KB to 512 KB: hierarchical (shared memory)",
    ])
  #expect(try logged([1, 100], nodes: NodeMap(keys: [0]), choice: .measured).lines.isEmpty)
}

@Test(
  "a measured choice follows the canonical tree where it must",
  arguments: [
    [0, 1], [0, 1, 2], [0, 0, 1, 1], [0, 0, 1, 1, 2, 2], [0, 0, 0, 1], [0, 1, 0, 1],
  ],
  [true, false])
func measuredChoice(keys: [Int], canonical: Bool) throws {
  let nodes = NodeMap(keys: keys)
  let lines = try logged(
    [1, 5000, 5000, 100_000], nodes: nodes, choice: .measured, canonical: canonical
  ).lines
  let isHierarchical =
    nodes.nodes.count < nodes.size && (!canonical || nodes.isCanonical)
  let choices = lines.filter { $0.hasPrefix("allreduce of ") }
  #expect(choices.count == 3)
  for line in choices where isHierarchical {
    #expect(line.hasSuffix(": hierarchical (shared memory)"), "\(line)")
  }
  let modelled = isHierarchical ? lines.filter { $0.hasPrefix("between nodes, ") } : choices
  #expect(!modelled.isEmpty)
  for line in modelled {
    #expect(line.contains("(model: ") && line.hasSuffix(" us)"), "\(line)")
    let name = try #require(line.split(separator: ": ").dropFirst().first)
    let algorithm = try #require(AllreduceAlgorithm(rawValue: String(name.prefix { $0 != " " })))
    let size = isHierarchical ? nodes.nodes.count : nodes.size
    #expect(!canonical || algorithm.isCanonical(size: size), "\(line)")
  }
  #expect(Set(lines.map { $0.prefix { $0 != ":" } }).count == lines.count, "\(lines)")
}

@Test("a table is followed, from its size up to the next")
func followed() throws {
  let methods: [(Int, AllreduceMethod)] = [
    (64, .schedule(.tree)), (4096, .schedule(.direct)),
  ]
  let nodes = NodeMap(keys: [0, 1, 2])
  let found = try logged(
    [1, 17, 1023, 1024, 100_000], nodes: nodes,
    choice: .table(table([1, 1, 1], sharesMemory: false, methods)))
  #expect(found.warnings.isEmpty && !found.hasMeasured)
  #expect(
    found.lines == [
      "allreduce of 4 B to 8 B: tree (table: 10 us)",
      "allreduce of 64 B to 128 B: tree (table: 10 us)",
      "allreduce of 2 KB to 4 KB: tree (table: 10 us)",
      "allreduce of 4 KB to 8 KB: direct (table: 10 us)",
      "allreduce of 256 KB to 512 KB: direct (table: 10 us)",
    ])
}

@Test("a table may prefer messages to shared memory, and leaves the way between nodes to the model")
func tableOverNodes() throws {
  let methods: [(Int, AllreduceMethod)] = [(4, .schedule(.tree)), (4096, .hierarchical)]
  for keys in [[0, 0], [0, 0, 1, 1]] {
    let nodes = NodeMap(keys: keys)
    let found = try logged(
      [1, 2048], nodes: nodes,
      choice: .table(table(nodes.nodes.map(\.count), sharesMemory: true, methods)))
    #expect(found.warnings.isEmpty)
    #expect(found.hasMeasured == (nodes.nodes.count > 1))
    #expect(
      found.lines.prefix(2) == [
        "allreduce of 4 B to 8 B: tree (table: 10 us)",
        "allreduce of 8 KB to 16 KB: hierarchical (table: 10 us)",
      ])
    let between = found.lines.dropFirst(2)
    #expect(between.isEmpty == (nodes.nodes.count == 1))
    #expect(between.allSatisfy { $0.hasPrefix("between nodes, ") && $0.contains("model") })
  }
}

@Test("a table of another cluster is not used, with a warning")
func otherCluster() throws {
  let ring: [(Int, AllreduceMethod)] = [(4, .schedule(.tree))]
  for (ranksPerNode, sharesMemory, reason) in [
    ([1, 1, 1], false, "it is of 3 ranks on 3 nodes, and here are 2 ranks on 2 nodes"),
    ([2], true, "it is of 2 ranks on 1 node, and here are 2 ranks on 2 nodes"),
    ([1, 2], true, "it is of 3 ranks on 2 nodes (1 + 2), and here are 2 ranks on 2 nodes"),
    ([1, 1], true, "its ranks shared memory, and here they do not"),
  ] as [([Int], Bool, String)] {
    let found = try logged(
      [1000], nodes: NodeMap(keys: [0, 1]),
      choice: .table(table(ranksPerNode, sharesMemory: sharesMemory, ring)))
    #expect(found.warnings == ["the tuning table is not used: \(reason)"])
    #expect(found.hasMeasured)
    #expect(found.lines.count == 1 && found.lines[0].contains("(model: "), "\(found.lines)")
  }
}

@Test(
  "a canonical order on a number of ranks that is no power of two: direct, unless messages are too many"
)
func canonicalRules() {
  func choice(_ byteCount: Int, _ size: Int) -> AllreduceAlgorithm {
    .choice(byteCount: byteCount, size: size, canonical: true)
  }
  #expect(choice(4, 3) == .direct)
  #expect(choice(1 << 26, 15) == .direct)
  #expect(choice(4, 17) == .tree)
  #expect(choice(1 << 20, 1000) == .tree)
  #expect(choice(1 << 26, 1000) == .direct)
}

@Test("size classes go from a power of two to the next")
func sizeClasses() {
  for (bytes, text) in [
    (0, "0 B"), (1, "1 B to 2 B"), (4, "4 B to 8 B"), (7, "4 B to 8 B"), (1023, "512 B to 1 KB"),
    (1 << 20, "1 MB to 2 MB"), ((1 << 30) - 1, "512 MB to 1 GB"), (1 << 50, "1024 TB to 2048 TB"),
  ] as [(Int, String)] { #expect(SizeClass(bytes: bytes).description == text) }
}
