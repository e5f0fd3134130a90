import Testing

@testable import Collective

@Suite("the tree of a sum")
struct SumTreeTests {
  @Test("ranks hold every leaf once, in the fewest complete subtrees", arguments: 1...130)
  func subtrees(ranks: Int) {
    for leaves in leafCounts(ranks) {
      let tree = SumTree(leaves: leaves, ranks: ranks)
      #expect(tree.subtrees.joined().flatMap { Array($0) } == Array(0..<leaves))
      for (rank, subtrees) in tree.subtrees.enumerated() {
        #expect(subtrees.first!.lowerBound == rank * leaves / ranks)
        #expect(subtrees.allSatisfy(tree.isSubtree))
        for (left, right) in zip(subtrees, subtrees.dropFirst()) {
          let isPair =
            left.count == right.count && left.lowerBound % (2 * left.count) == 0
          #expect(!isPair, "two halves of a subtree are one")
        }
        var levels = 0
        while 2 << levels <= leaves { levels += 1 }
        #expect(subtrees.count <= max(1, 2 * levels))
      }
      #expect(tree.planes == tree.subtrees.map(\.count).max())
    }
  }

  @Test("powers of two of ranks hold one subtree each, and combine as leaves do")
  func powersOfTwo() {
    for ranks in [1, 2, 4, 8, 64] { #expect(SumTree(leaves: 64, ranks: ranks).isOfRanks) }
    // Each of 6 ranks has one plane, and ranks 2 and 3 are no neighbours in the tree.
    let six = SumTree(leaves: 8, ranks: 6)
    #expect(six.planes == 1 && !six.isOfRanks)
    #expect(SumTree(leaves: 8, ranks: 7).isOfRanks)
    #expect(!SumTree(leaves: 16, ranks: 7).isOfRanks && !SumTree(leaves: 8, ranks: 3).isOfRanks)
  }

  @Test("the pictures in the documentation are true")
  func pictures() {
    let tree = SumTree(leaves: 8, ranks: 3)
    #expect(tree.subtrees == [[0..<2], [2..<4, 4..<5], [5..<6, 6..<8]])
    let reduce = TreePlaneReduce(tree: tree, count: 1)
    #expect(reduce.roundCount == 2)
    #expect(
      (0..<2).map { reduce.round($0, of: 1) } == [
        Round([
          Transfer(.receive, .partial, 2, 0..<1, plane: 0, target: 1),
          Transfer(.receive, .partial, 2, 0..<1, plane: 1, target: 1),
          Transfer(.send, .partial, 0, 0..<1, plane: 0),
        ]),
        Round([Transfer(.send, .partial, 0, 0..<1, plane: 1)]),
      ])
    let direct = DirectPlaneReduceScatter(tree: tree, count: 3)
    #expect((0..<3).map { direct.round(0, of: $0).transfers.count { $0.isReduced } } == [4, 4, 4])
  }

  @Test("nodes hold what their ranks hold together")
  func nodes() {
    let tree = SumTree(leaves: 8, ranks: 6)
    #expect(NodeMap(keys: [0, 0, 0, 1, 1, 1]).tree(over: tree)!.subtrees == [[0..<4], [4..<8]])
    #expect(
      NodeMap(keys: [0, 0, 1, 1, 2, 2]).tree(over: tree)!.subtrees
        == [[0..<2], [2..<4, 4..<5], [5..<6, 6..<8]])
    #expect(NodeMap(keys: [0, 1, 0, 1, 0, 1]).tree(over: tree) == nil)
  }
}

/// Powers of two from `ranks` up: the next one, two more, and a large one.
func leafCounts(_ ranks: Int) -> Set<Int> {
  var least = 1
  while least < ranks { least *= 2 }
  return [least, 2 * least, 4 * least, max(512, least)]
}

private let algorithms = AllreduceAlgorithm.allCases.filter(\.addsPlanes)

@Test("every sum of planes is proven, subtree by subtree", arguments: 1...128)
func provenPlanes(ranks: Int) throws {
  for leaves in leafCounts(ranks) {
    let tree = SumTree(leaves: leaves, ranks: ranks)
    for algorithm in algorithms {
      for count in [0, 1, ranks + 1] {
        let generator = algorithm.generator(size: ranks, count: count, along: tree)
        let schedules = (0..<ranks).map(generator.schedule(of:))
        let proof = try ScheduleProof(schedules, along: tree)
        #expect(proof.rounds == generator.roundCount)
        #expect(proof.elementsSent == (0..<ranks).map(generator.elementsSent(by:)))
        let ceiling = (0...).first { 1 << $0 >= ranks }!
        switch algorithm {
        case .direct: #expect(proof.rounds == (ranks > 1 ? 2 : 0))
        default: #expect((min(1, ceiling) + ceiling...2 * ceiling + 1).contains(proof.rounds))
        }
      }
    }
  }
}

@Test("the canonical algorithms add up the tree over ranks", arguments: [1, 2, 4, 8, 16, 64])
func canonicalIsProven(ranks: Int) throws {
  for algorithm in AllreduceAlgorithm.allCases {
    let generator = algorithm.generator(size: ranks, count: 1000)
    let schedules = (0..<ranks).map(generator.schedule(of:))
    func prove() throws { _ = try ScheduleProof(schedules, along: SumTree(ofRanks: ranks)) }
    if algorithm.isCanonical(size: ranks) {
      try prove()
    } else {
      #expect(throws: ScheduleFault.self) { try prove() }
    }
  }
}

@Test("on powers of two the sum of planes is as fast as the tree", arguments: [1, 2, 4, 8, 32])
func sameRounds(ranks: Int) {
  let planes = TreePlaneReduce(tree: SumTree(leaves: 64, ranks: ranks), count: 10)
  let reduce = TreeReduce(size: ranks, count: 10)
  #expect(planes.roundCount == reduce.roundCount)
  #expect(
    (0..<ranks).map(planes.elementsSent(by:)) == (0..<ranks).map(reduce.elementsSent(by:)))
}

/// A fault planted into the schedules of 8 leaves on 3 ranks, and whether it is what the proof has
/// to find.
private struct Plant: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var algorithm = AllreduceAlgorithm.tree
  var plant: @Sendable (inout [Schedule]) -> Void
  var isExpected: @Sendable (ScheduleFault) -> Bool
}

private let plants = [
  Plant(
    testDescription: "a plane that stays behind",
    plant: { schedules in
      schedules[2].rounds[0].transfers.removeAll { $0.plane == 1 }
      schedules[1].rounds[0].transfers.removeAll { $0.peer == 2 && $0.plane == 1 }
    },
    isExpected: { if case .notASubtree(rank: 0, round: 1, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a plane that comes a round later, when its sibling has gone on",
    plant: { schedules in
      for rank in [1, 2] {
        let isLate: (Transfer) -> Bool = { $0.plane == 1 && $0.range.count == 9 }
        let late = schedules[rank].rounds[0].transfers.filter(isLate)
        schedules[rank].rounds[0].transfers.removeAll(where: isLate)
        schedules[rank].rounds[1].transfers.insert(contentsOf: late, at: 0)
      }
    },
    isExpected: { if case .notASubtree(rank: 0, round: 1, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "another plane of the same rank",
    plant: { $0[2].rounds[0].transfers[0].plane = 1 },
    isExpected: { if case .mismatch(sender: 2, _, receiver: 1, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "what is added to a plane that is no neighbour",
    plant: { schedules in
      for index in schedules[1].rounds[0].transfers.indices {
        schedules[1].rounds[0].transfers[index].target = 0
      }
    },
    isExpected: { if case .notASubtree(rank: 1, round: 0, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a plane that the sender does not have",
    plant: { $0[0].rounds.append(Round([Transfer(.send, .partial, 1, 0..<9, plane: 1)])) },
    isExpected: { if case .invalid(rank: 0, _, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a plane that is added to itself",
    algorithm: .direct,
    plant: { schedules in
      let index = schedules[1].rounds[0].transfers.firstIndex { $0.peer == 1 }!
      schedules[1].rounds[0].transfers[index].target = 1
    },
    isExpected: { if case .invalid(rank: 1, round: 0, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "an own plane left out",
    algorithm: .direct,
    plant: { $0[1].rounds[0].transfers.removeAll { $0.peer == 1 } },
    isExpected: { if case .notASubtree(rank: 1, round: 0, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "planes of a rank in the wrong order",
    algorithm: .direct,
    plant: { schedules in
      let places = schedules[0].rounds[0].transfers.indices.filter {
        schedules[0].rounds[0].transfers[$0].peer == 2
          && schedules[0].rounds[0].transfers[$0].isReduced
      }
      schedules[0].rounds[0].transfers.swapAt(places[0], places[1])
    },
    isExpected: { if case .unordered(rank: 0, round: 0) = $0 { true } else { false } }),
  Plant(
    testDescription: "a result in a plane that is summed in the same round",
    plant: { schedules in
      let sum = schedules[1].rounds[0].transfers.first { $0.isReduced }!
      var result = sum
      result.payload = .result
      result.peer = 2
      schedules[1].rounds[0].transfers.append(result)
    },
    isExpected: { if case .invalid(rank: 1, round: 0, _) = $0 { true } else { false } }),
]

@Test("the proof catches faults planted into sums of planes", arguments: plants)
private func plantedPlaneFault(plant: Plant) throws {
  let tree = SumTree(leaves: 8, ranks: 3)
  let generator = plant.algorithm.generator(size: 3, count: 9, along: tree)
  var schedules = (0..<3).map(generator.schedule(of:))
  _ = try ScheduleProof(schedules, along: tree)
  plant.plant(&schedules)
  do {
    _ = try ScheduleProof(schedules, along: tree)
    Issue.record("the fault was not found")
  } catch {
    #expect(plant.isExpected(error), "\(error)")
  }
}

@Test("what a sum of planes costs grows with the planes that are sent", arguments: [3, 5, 6, 7])
func planePrice(ranks: Int) {
  let model = CostModel(
    flat: LinkModel(alpha: 1e-6, bandwidth: 1e9), reduction: CostCurve(secondsPerByte: 1e-10),
    segmentBytes: .max)
  for algorithm in algorithms {
    func price(_ tree: SumTree?) -> Price {
      Price(
        of: algorithm.generator(size: ranks, count: 1 << 20, along: tree), on: model,
        width: ElementWidth(bytes: 4))
    }
    let (flat, planes) = (price(nil), price(SumTree(leaves: 64, ranks: ranks)))
    #expect(planes.seconds > flat.seconds && planes.seconds < 6 * flat.seconds)
    #expect(planes.messages > flat.messages)
  }
}
