import Testing

@testable import Collective

private let alpha = 3e-6
private let beta = 1 / 5e9
private let gamma = 1 / 20e9
private let float = ElementWidth(bytes: 4)

private func flat(segmentBytes: Int = .max) -> CostModel {
  CostModel(
    flat: LinkModel(alpha: alpha, bandwidth: 1 / beta),
    reduction: CostCurve(secondsPerByte: gamma), segmentBytes: segmentBytes)
}

private func price(
  _ algorithm: AllreduceAlgorithm, size: Int, count: Int, on model: CostModel = flat()
) -> Price {
  Price(of: algorithm.generator(size: size, count: count), on: model, width: float)
}

/// Sums of some thousand terms, each rounded: 2^-53 times their number.
private func isClose(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-12 * max(a, b) }

/// Logarithm to base two, rounded up.
private func log2(_ size: Int) -> Double {
  Double(Int.bitWidth - (size - 1).leadingZeroBitCount)
}

@Test("on a flat network the walked price is the textbook's", arguments: 1...65)
func closedForms(size: Int) {
  // Every rank's chunk has 1000 elements.
  let count = 1000 * size
  let p = Double(size)
  let n = 4 * Double(count)
  #expect(
    isClose(
      price(.ring, size: size, count: count).seconds,
      2 * (p - 1) * (alpha + n / p * beta) + (p - 1) * n / p * gamma))
  #expect(
    isClose(
      price(.tree, size: size, count: count).seconds,
      log2(size) * (2 * (alpha + n * beta) + n * gamma)))
  #expect(
    isClose(
      price(.halvingDoubling, size: size, count: size & (size - 1) == 0 ? 1024 * size : count)
        .seconds,
      {
        let n = size & (size - 1) == 0 ? 4096 * p : n
        return 2 * log2(size) * alpha + (p - 1) / p * n * (2 * beta + gamma)
      }()))
  if size & (size - 1) == 0 {
    #expect(
      isClose(
        price(.recursiveDoubling, size: size, count: count).seconds,
        log2(size) * (alpha + n * (beta + gamma))))
  }
}

@Test("many ranks, walked by several threads, have the textbook's price too")
func manyRanks() {
  let p = 2048.0
  let n = 4 * p * 16
  #expect(
    isClose(
      price(.halvingDoubling, size: 2048, count: 2048 * 16).seconds,
      2 * 11 * alpha + (p - 1) / p * n * (2 * beta + gamma)))
}

@Test(
  "rounds, bytes and messages are those of the schedules",
  arguments: AllreduceAlgorithm.allCases, [1, 2, 3, 4, 7, 8, 12, 16, 33])
func countsAreExact(algorithm: AllreduceAlgorithm, size: Int) {
  for count in [0, 1, size, 1000] {
    let schedules = (0..<size).map { algorithm.schedule(rank: $0, size: size, count: count) }
    let price = price(algorithm, size: size, count: count)
    #expect(price.rounds == algorithm.generator(size: size, count: count).roundCount)
    #expect(price.bytesSent == 4 * schedules.map(\.elementsSent).max()!)
    // One rank on each node: its link carries what it sends, or what it receives.
    #expect(price.bytesPerNodeLink >= price.bytesSent)
    let sends = schedules.flatMap(\.rounds).flatMap(\.transfers).filter { $0.direction == .send }
    #expect(price.messages == sends.count)
    if sends.isEmpty { #expect(price.seconds == 0) }
  }
}

/// Two nodes of four ranks, with other costs within than between them.
private func clustered(_ placement: CostModel.Placement) -> CostModel {
  CostModel(
    withinNode: LinkModel(alpha: 1e-6, bandwidth: 8e9),
    betweenNodes: LinkModel(alpha: alpha, bandwidth: 1 / beta),
    reduction: CostCurve(secondsPerByte: 0), windowCopy: CostCurve(secondsPerByte: 1 / 8e9),
    synchronization: 2e-6, ranksPerNode: 4, placement: placement)
}

@Test("the ranks of a node share its link")
func sharedLink() {
  let n = 4000.0
  let doubling = price(.recursiveDoubling, size: 8, count: 1000, on: clustered(.node))
  #expect(isClose(doubling.seconds, 2 * (1e-6 + n / 8e9) + alpha + 4 * n * beta))
  #expect(doubling.bytesPerNodeLink == 4 * 4000)

  // A ring crosses each link once where a node's ranks are neighbours, with every rank where none
  // are.
  let ring = price(.ring, size: 8, count: 1000, on: clustered(.node))
  #expect(isClose(ring.seconds, 14 * (alpha + n / 8 * beta)))
  #expect(ring.bytesPerNodeLink == 14 * 500)
  let dealt = price(.ring, size: 8, count: 1000, on: clustered(.roundRobin))
  #expect(isClose(dealt.seconds, 14 * (alpha + 4 * n / 8 * beta)))
  #expect(dealt.bytesPerNodeLink == 4 * 14 * 500)
}

@Test("two levels cost the window's two passes and the owners' algorithm on a shared link")
func twoLevels() {
  let model = clustered(.node)
  let n = 4096.0
  let window = 2 * 2e-6 + 0.75 * n / 8e9
  let two = AllreducePlan.twoLevel(.halvingDoubling).price(
    size: 8, count: 1024, on: model, width: float)
  // Each of the four owners of a node exchanges half its chunk, twice.
  #expect(isClose(two.seconds, window + 2 * (alpha + 4 * n / 8 * beta)))
  #expect(two.bytesPerNodeLink == 4096)
  #expect(two.bytesSent == 1024)
  let one = AllreducePlan.sharedWindow.price(size: 4, count: 1024, on: model, width: float)
  #expect(isClose(one.seconds, window))
  #expect(one.messages == 0)
}

@Test("a node's ranks are one subtree of a canonical two-level sum")
func canonicalPlans() {
  let plan = AllreducePlan.twoLevel(.halvingDoubling)
  #expect(plan.isCanonical(size: 16, on: clustered(.node)))
  #expect(!plan.isCanonical(size: 12, on: clustered(.node)))
  #expect(!plan.isCanonical(size: 16, on: clustered(.roundRobin)))
  #expect(!AllreducePlan.twoLevel(.ring).isCanonical(size: 16, on: clustered(.node)))
  var odd = clustered(.node)
  odd.ranksPerNode = 3
  #expect(!plan.isCanonical(size: 12, on: odd))
  // Two levels need full nodes; one node needs no second level.
  let names = { AllreducePlan.candidates([.ring], size: $0, on: odd).map(\.description) }
  #expect(names(12) == ["ring", "shared-window+ring"])
  #expect(names(13) == ["ring"])
  #expect(names(3) == ["ring", "shared-window"])
  #expect(names(1) == ["ring"])
}

@Test("segments hide the shorter of transfer and reduction, but for one segment")
func segments() {
  let n = 4000.0
  for gamma in [gamma, 1 / 1e9] {
    for segment in [1000, 4000, 4001] {
      var model = flat(segmentBytes: segment)
      model.reduction = CostCurve(secondsPerByte: gamma)
      let exposed = min(beta, gamma) * min(Double(segment), n)
      #expect(
        isClose(
          price(.recursiveDoubling, size: 2, count: 1000, on: model).seconds,
          alpha + n * max(beta, gamma) + exposed))
    }
  }
}

@Test("partial sums of 16-bit elements travel as 32-bit ones")
func narrowElements() {
  // Inputs and results of 2 bytes, in halves; partial sums of 4, in quarters.
  let price = Price(
    of: AllreduceAlgorithm.halvingDoubling.generator(size: 4, count: 1000), on: flat(),
    width: ElementWidth(bytes: 2))
  #expect(price.bytesSent == 500 * 2 + 250 * 4 + 250 * 2 + 500 * 2)
}

@Test(
  "more bytes never cost less, and the same always costs the same",
  arguments: AllreduceAlgorithm.allCases, [2, 3, 6, 8, 13])
func monotone(algorithm: AllreduceAlgorithm, size: Int) {
  let curve = CostCurve(through: [
    .init(bytes: 64, seconds: 1e-7), .init(bytes: 1000, seconds: 8e-7),
    .init(bytes: 9000, seconds: 1e-6), .init(bytes: 20000, seconds: 8e-6),
  ])
  for placement in CostModel.Placement.allCases {
    for segment in [Int.max, 500] {
      let model = CostModel(
        withinNode: LinkModel(alpha: 3e-7, transfer: curve),
        betweenNodes: LinkModel(alpha: alpha, transfer: curve), reduction: curve, windowCopy: curve,
        synchronization: 1e-6, ranksPerNode: 3, placement: placement, segmentBytes: segment)
      let prices = (0..<200).map { price(algorithm, size: size, count: 97 * $0 * $0, on: model) }
      for (a, b) in zip(prices, prices.dropFirst()) {
        // A pipeline gets shorter where it is cut into one segment more.
        if algorithm != .doubleTree { #expect(a.seconds <= b.seconds * (1 + 1e-12)) }
        #expect(a.bytesSent <= b.bytesSent)
      }
      #expect(price(algorithm, size: size, count: 97 * 199 * 199, on: model) == prices.last)
    }
  }
}

/// Rank 0 sends, and rank 1 expects it a round later.
private struct Misaligned: ScheduleGenerator {
  let size = 2
  let count = 10
  let roundCount = 2
  func round(_ number: Int, of rank: Int) -> Round {
    guard number == rank else { return Round([]) }
    return Round([Transfer(rank == 0 ? .send : .receive, .result, 1 - rank, 0..<10)])
  }
  func elementsSent(by rank: Int) -> Int { rank == 0 ? 10 : 0 }
}

@Test("a round that sends what nobody receives has no price")
func misaligned() async {
  await #expect(processExitsWith: .failure) {
    _ = Price(of: Misaligned(), on: flat(), width: float)
  }
}

@Test(
  "measured rounds are priced by what they do: replace, add, add to what is sent, or go one way")
func measuredRounds() {
  func cost(_ alpha: Double, _ beta: Double) -> MessageCost {
    MessageCost(alpha: alpha, transfer: CostCurve(secondsPerByte: beta))
  }
  var link = LinkModel(alpha: 1, transfer: CostCurve(secondsPerByte: 10))
  link.measured = .init(
    reducing: cost(2, 20), combining: cost(3, 30), oneWay: cost(4, 40))
  // Arithmetic is in what was measured.
  let model = CostModel(flat: link, reduction: CostCurve(secondsPerByte: 1e6))
  func seconds(_ algorithm: AllreduceAlgorithm, _ size: Int) -> Double {
    Price(
      of: algorithm.generator(size: size, count: 25 * size), on: model,
      width: ElementWidth(bytes: 4)
    ).seconds
  }
  for size in [2, 4, 5] {
    let (rounds, reducing, replacing) = (Double(size - 1), 2002.0, 1001.0)
    #expect(seconds(.ring, size) == rounds * (reducing + replacing))
  }
  #expect(seconds(.recursiveDoubling, 4) == 24_006)
  #expect(seconds(.tree, 2) == 16_008)
  // All of a round's messages share a rank's link.
  #expect(seconds(.direct, 3) == 4002 + 2001)
}
