import Foundation
import Kernels
import Testing

@testable import Collective

private func point(_ bytes: Int, _ seconds: Double) -> CostCurve.Point {
  .init(bytes: bytes, seconds: seconds)
}

@Test("a model fitted to what a model predicts prices alike")
func fitted() {
  let within = LinkModel(alpha: 5e-7, bandwidth: 8e9)
  let between = LinkModel(alpha: 4e-6, bandwidth: 1e9)
  let truth = CostModel(
    withinNode: within, betweenNodes: between, reduction: CostCurve(secondsPerByte: 1e-10),
    windowCopy: CostCurve(secondsPerByte: 2e-10), synchronization: 5e-7, ranksPerNode: 4)
  let sizes = [8, 4096, 1 << 20]
  let model = CostModel.fitted(
    from: Measurements(
      withinNode: LinkPoints(replacing: sizes.map { point($0, within.seconds($0)) }),
      betweenNodes: LinkPoints(replacing: sizes.map { point($0, between.seconds($0)) }),
      reduction: sizes.map { point($0, truth.reduction.seconds($0)) },
      copy: sizes.map { point($0, truth.windowCopy.seconds($0)) }),
    ranksPerNode: 4)
  let width = ElementWidth(bytes: 4)
  for plan in AllreducePlan.candidates(AllreduceAlgorithm.allCases, size: 16, on: truth) {
    for count in [1, 1000, 10_000_000] {
      let (a, b) = (
        plan.price(size: 16, count: count, on: truth, width: width),
        plan.price(size: 16, count: count, on: model, width: width)
      )
      #expect(abs(a.seconds - b.seconds) < 1e-9 * a.seconds)
    }
  }
}

@Test("a link that was not measured is like the other; without any, messages are free")
func missingLinks() {
  let points = [point(8, 1e-6), point(1024, 2e-6)]
  func model(_ within: [CostCurve.Point], _ between: [CostCurve.Point]) -> CostModel {
    .fitted(
      from: Measurements(
        withinNode: LinkPoints(replacing: within), betweenNodes: LinkPoints(replacing: between),
        reduction: [], copy: []),
      ranksPerNode: 2)
  }
  #expect(model(points, []).betweenNodes == LinkModel(LinkPoints(replacing: points)))
  #expect(model([], points).withinNode == LinkModel(LinkPoints(replacing: points)))
  #expect(model([], []).withinNode.seconds(1 << 30) == 0)
}

@Test(
  "measuring gives all ranks the same ascending sizes, for the links that there are",
  arguments: [[0], [0, 0], [0, 1], [0, 0, 0], [0, 0, 1, 1, 2], [0, 1, 0, 1]] as [[Int]])
func measuring(nodes: [Int]) throws {
  let results = try LoopbackTransport.run(ranks: nodes.count) { transport in
    try measureLinks(
      over: transport, kernels: KernelSet(InstructionSet.supported.last!), nodes: nodes,
      limits: .init(largest: 64 << 10, secondsPerSize: 0.02))
  }
  for result in results { #expect(result == results[0]) }
  let measured = results[0]
  let hasPair = (0..<3).contains { node in nodes.count { $0 == node } > 1 }
  #expect(measured.withinNode.isEmpty == !hasPair)
  #expect(measured.betweenNodes.isEmpty == (Set(nodes).count == 1))
  let links = [measured.withinNode, measured.betweenNodes]
  for link in links {
    for points in [link.reducing, link.combining, link.oneWay] {
      #expect(points.map(\.bytes) == link.replacing.map(\.bytes))
    }
  }
  for points in links.flatMap({ [$0.replacing, $0.reducing, $0.combining, $0.oneWay] }) + [
    measured.reduction, measured.copy,
  ] {
    #expect(zip(points, points.dropFirst()).allSatisfy { $0.bytes < $1.bytes })
    #expect(points.allSatisfy { $0.seconds >= 0 })
  }
  #expect(measured.reduction.count > 1 && measured.copy.count > 1)
  // Whatever was measured makes a model.
  let model = CostModel.fitted(from: measured, ranksPerNode: 2)
  let price = Price(
    of: AllreduceAlgorithm.ring.generator(size: nodes.count, count: 1000), on: model,
    width: ElementWidth(bytes: 4))
  #expect((price.seconds > 0) == (nodes.count > 1))
}

@Test("where a link is slow, messages are no larger than there is time for")
func slowLink() throws {
  let bandwidth = 4e6
  let results = try LoopbackTransport.run(ranks: 2) { base in
    let transport = TappedTransport(base) { _, bytes in
      Thread.sleep(forTimeInterval: Double(bytes) / bandwidth)
    }
    return try measureLinks(
      over: transport, kernels: KernelSet(InstructionSet.supported.last!), nodes: [0, 1],
      limits: .init(largest: 4 << 20, secondsPerSize: 0.02))
  }
  for result in results {
    // A round trip of 64 KiB takes 32 ms: all kinds of rounds, not in four times 20 ms.
    let sizes = result.betweenNodes.oneWay.map(\.bytes)
    #expect(sizes.first == 8 && sizes.last! < 64 << 10)
  }
}

@Test("links are measured in the memory that is given, with messages as far as they fit")
func givenMemory() throws {
  let results = try LoopbackTransport.run(ranks: 2) { transport in
    let buffer = AlignedBuffer(count: 1024)
    let measured = try measureLinks(
      over: transport, kernels: KernelSet(InstructionSet.supported.last!), nodes: [0, 0],
      limits: .init(largest: 4096, secondsPerSize: 0.001),
      memory: UnsafeMutableRawBufferPointer(buffer.elements))
    return withExtendedLifetime(buffer) { measured.withinNode }
  }
  for link in results {
    // A loaded machine may be too slow for the larger ones.
    let sizes = [8, 256, 1024, 2048, 4096].prefix(link.combining.count)
    #expect(!sizes.isEmpty)
    #expect(link.combining.map(\.bytes) == Array(sizes))
    #expect(link.oneWay.map(\.bytes) == Array(sizes))
    // These have a message to send and one to receive.
    #expect(link.replacing.map(\.bytes) == sizes.filter { $0 <= 2048 })
    #expect(link.reducing.map(\.bytes) == sizes.filter { $0 <= 2048 })
  }
}
