import TestSupport
import Testing

@testable import Collective

/// 0, 1, around the number of ranks, a round number and a prime.
private func counts(_ size: Int) -> Set<Int> {
  [0, 1, max(0, size - 1), size, size + 1, 2 * size + 1, 1000, 7919]
}

/// Every collective but allreduce, with the first roots, one in the middle and the last.
private func others(_ size: Int) -> [CollectiveAlgorithm] {
  let roots = Set([0, 1, size / 2, size - 1]).filter { $0 < size }
  return ReduceScatterAlgorithm.allCases.map { .reduceScatter($0) }
    + AllgatherAlgorithm.allCases.map { .allgather($0) }
    + roots.flatMap { root in
      BroadcastAlgorithm.allCases.map { .broadcast($0, root: root) }
        + ReduceAlgorithm.allCases.map { .reduce($0, root: root) }
    }
}

/// Proves all schedules, with rounds and elements as in closed form, and no round in which nobody
/// moves anything (unless there are too few elements for all ranks).
private func prove(_ algorithm: CollectiveAlgorithm, size: Int, count: Int) throws {
  let generator = algorithm.generator(size: size, count: count)
  let schedules = (0..<size).map(generator.schedule(of:))
  let proof = try ScheduleProof(schedules, goal: algorithm.goal)
  #expect(proof.rounds == generator.roundCount)
  #expect(proof.elementsSent == (0..<size).map(generator.elementsSent(by:)))
  if count >= size {
    let used = (0..<proof.rounds).allSatisfy { number in
      schedules.contains { !$0.rounds[number].transfers.isEmpty }
    }
    #expect(used)
  }
}

@Test(
  "every allreduce is proven, with rounds and elements as documented",
  arguments: AllreduceAlgorithm.allCases, Thoroughness.cases(1...128, everyday: 1...64))
func provenAllreduces(algorithm: AllreduceAlgorithm, size: Int) throws {
  for count in counts(size) { try prove(.allreduce(algorithm), size: size, count: count) }
}

@Test(
  "every other collective is proven, with rounds and elements as documented",
  arguments: Thoroughness.cases(1...128, everyday: 1...64))
func provenCollectives(size: Int) throws {
  for count in counts(size) {
    for algorithm in others(size) { try prove(algorithm, size: size, count: count) }
  }
}

@Test("the double tree's pipeline is proven with many segments", arguments: 1...40)
func provenPipeline(size: Int) throws {
  for (count, segments) in [(8191, 1), (16384, 2), (100_003, 12), (3_000_000, 128)] {
    #expect(DoubleTreeAllreduce(size: size, count: count).segments == segments)
    try prove(.allreduce(.doubleTree), size: size, count: count)
  }
}

@Test("rounds are those of the documentation's tables", arguments: 1...128)
func documentedRounds(size: Int) {
  let ceiling = (0...).first { 1 << $0 >= size }!
  let floor = 1 << ceiling == size ? ceiling : ceiling - 1
  func rounds(_ algorithm: CollectiveAlgorithm, count: Int = 1000) -> Int {
    algorithm.generator(size: size, count: count).roundCount
  }
  #expect(rounds(.allreduce(.ring)) == 2 * (size - 1))
  #expect(rounds(.allreduce(.tree)) == 2 * ceiling)
  #expect(rounds(.allreduce(.recursiveDoubling)) == (floor == ceiling ? floor : floor + 2))
  #expect(rounds(.allreduce(.halvingDoubling)) == 2 * ceiling)
  #expect(rounds(.allreduce(.direct)) == (size > 1 ? 2 : 0))
  #expect(rounds(.allreduce(.doubleTree)) == (size > 1 ? 2 * floor : 0))
  #expect(
    rounds(.allreduce(.doubleTree), count: 100_003) == (size > 1 ? 12 + 2 * floor - 1 : 0))
  #expect(rounds(.reduceScatter(.ring)) == size - 1 && rounds(.allgather(.ring)) == size - 1)
  #expect(rounds(.reduceScatter(.circulant)) == ceiling)
  #expect(rounds(.allgather(.circulant)) == ceiling)
  #expect(rounds(.reduceScatter(.direct)) == min(1, size - 1))
  #expect(rounds(.allgather(.direct)) == min(1, size - 1))
  #expect(rounds(.broadcast(.tree, root: size / 2)) == ceiling)
  #expect(rounds(.broadcast(.scatterAllgather, root: size / 2)) == 2 * ceiling)
  #expect(rounds(.reduce(.tree, root: size / 2)) == ceiling)
  #expect(rounds(.reduce(.scatterGather, root: size / 2)) == 2 * ceiling)
}

@Test("elements sent are those of the documentation's tables", arguments: 2...128)
func documentedElements(size: Int) {
  let count = 100 * size
  func sent(_ algorithm: CollectiveAlgorithm) -> [Int] {
    (0..<size).map(algorithm.generator(size: size, count: count).elementsSent(by:))
  }
  let share = [Int](repeating: 100 * (size - 1), count: size)
  for algorithm in [AllreduceAlgorithm.ring, .halvingDoubling, .direct] {
    #expect(sent(.allreduce(algorithm)) == share.map { 2 * $0 })
  }
  for algorithm in ReduceScatterAlgorithm.allCases {
    #expect(sent(.reduceScatter(algorithm)) == share)
  }
  for algorithm in AllgatherAlgorithm.allCases { #expect(sent(.allgather(algorithm)) == share) }
  for algorithm in AllreduceAlgorithm.allCases where algorithm != .recursiveDoubling {
    // All but one copy of every element travels twice.
    #expect(sent(.allreduce(algorithm)).reduce(0, +) == 2 * (size - 1) * count)
  }
  #expect(sent(.allreduce(.doubleTree)).max()! <= 2 * count)
  for root in [0, size - 1] {
    #expect(sent(.reduce(.tree, root: root)) == (0..<size).map { $0 == root ? 0 : count })
    #expect(sent(.broadcast(.tree, root: root)).reduce(0, +) == (size - 1) * count)
    #expect(sent(.broadcast(.scatterAllgather, root: root)).max()! < 2 * count)
    #expect(sent(.reduce(.scatterGather, root: root)).max()! < 2 * count)
  }
}
