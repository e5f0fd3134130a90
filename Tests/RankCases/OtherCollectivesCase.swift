import Collective
import MPI

/// Reduce-scatter, allgather, broadcast and reduce of a group, by every algorithm: each with and
/// without others in flight, waited for in another order than they were started in.
func otherCollectivesCase(_ world: Communicator, _ joining: Joining) throws {
  let group = try joining.group(world)
  // A message, and several segments.
  let counts = [0, 1, world.size + 1, 1_100_003]
  let memory = try group.allocate(Float.self, count: collectivesAtOnce * counts.last!)
  for count in counts {
    let checks = otherCollectives(group, count: count, in: memory)
    for check in checks {
      try check.start().wait()
      try check.expectResult()
    }
    let operations = try checks.map { try $0.start() }
    for operation in operations { _ = try operation.progress() }
    for operation in operations.reversed() { try operation.wait() }
    for check in checks { try check.expectResult() }
  }
}

/// A collective on a buffer of its own.
private struct CollectiveCheck {
  var name: String
  var buffer: UnsafeMutableBufferPointer<Float>
  /// This rank's, which repeat.
  var inputs: [Float]
  var begin: () throws -> CollectiveOperation
  /// The elements that have a result on this rank, and what it is.
  var results: Range<Int>
  var result: (_ index: Int) -> Float

  /// Fills the buffer with this rank's input before it starts.
  func start() throws -> CollectiveOperation {
    for index in buffer.indices { buffer[index] = inputs[index % inputPeriod] }
    return try begin()
  }

  func expectResult() throws {
    for index in results {
      try expect(
        buffer[index] == result(index),
        "\(name), element \(index) of \(buffer.count): \(buffer[index]) in place of "
          + "\(result(index))")
    }
  }
}

/// Every algorithm of each, those that have a root with two of them.
private let collectivesAtOnce =
  ReduceScatterAlgorithm.allCases.count + AllgatherAlgorithm.allCases.count
  + 2 * (BroadcastAlgorithm.allCases.count + ReduceAlgorithm.allCases.count)

private func otherCollectives(
  _ group: ProcessGroup, count: Int, in memory: UnsafeMutableBufferPointer<Float>
) -> [CollectiveCheck] {
  let all = 0..<count
  let inputs = (0..<group.size).map { rank in (0..<inputPeriod).map { input(rank, $0) } }
  let sums = (0..<inputPeriod).map { index in inputs.reduce(0) { $0 + $1[index] } }
  func sum(_ index: Int) -> Float { sums[index % inputPeriod] }
  var checks: [CollectiveCheck] = []
  func add(
    _ name: String, results: Range<Int>, _ result: @escaping (Int) -> Float,
    begin: @escaping (UnsafeMutableBufferPointer<Float>) throws -> CollectiveOperation
  ) {
    let start = checks.count * count
    let buffer = UnsafeMutableBufferPointer(rebasing: memory[start..<start + count])
    checks.append(
      CollectiveCheck(
        name: name, buffer: buffer, inputs: inputs[group.rank], begin: { try begin(buffer) },
        results: results, result: result))
  }
  for algorithm in ReduceScatterAlgorithm.allCases {
    add("reduce-scatter by \(algorithm)", results: group.chunk(of: count), sum) {
      try group.startReduceScatter($0, .sum, algorithm)
    }
  }
  /// Rank r's chunk begins at r count / size.
  func owner(_ index: Int) -> Int { ((index + 1) * group.size - 1) / count }
  for algorithm in AllgatherAlgorithm.allCases {
    add("allgather by \(algorithm)", results: all, { inputs[owner($0)][$0 % inputPeriod] }) {
      try group.startAllgather($0, algorithm)
    }
  }
  for root in [0, group.size - 1] {
    for algorithm in BroadcastAlgorithm.allCases {
      add("broadcast of \(root) by \(algorithm)", results: all, { inputs[root][$0 % inputPeriod] })
      {
        try group.startBroadcast($0, root: root, algorithm)
      }
    }
    for algorithm in ReduceAlgorithm.allCases {
      add("reduce to \(root) by \(algorithm)", results: group.rank == root ? all : 0..<0, sum) {
        try group.startReduce($0, .sum, root: root, algorithm)
      }
    }
  }
  return checks
}
