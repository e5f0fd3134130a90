import Testing

@testable import Collective

/// 0, 1, around the number of ranks, a round number and a prime.
private func counts(_ size: Int) -> Set<Int> {
  [0, 1, max(0, size - 1), size, size + 1, 2 * size + 1, 1000, 7919]
}

private func schedules(
  _ algorithm: AllreduceAlgorithm, size: Int, count: Int
) -> [Schedule] {
  (0..<size).map { algorithm.schedule(rank: $0, size: size, count: count) }
}

@Test(
  "every schedule is proven, with rounds and elements as documented",
  arguments: AllreduceAlgorithm.allCases, 1...128)
func proven(algorithm: AllreduceAlgorithm, size: Int) throws {
  for count in counts(size) {
    let proof = try ScheduleProof(schedules(algorithm, size: size, count: count))
    #expect(proof.rounds == algorithm.rounds(size: size, count: count))
    for rank in 0..<size {
      #expect(
        proof.elementsSent[rank]
          == algorithm.elementsSent(rank: rank, size: size, count: count))
    }
    if algorithm != .recursiveDoubling {
      // All but one copy of every element travels twice.
      #expect(proof.elementsSent.reduce(0, +) == 2 * (size - 1) * count)
    }
  }
}

@Test(
  "ring and halving-doubling send 2(p-1)/p of the buffer from every rank",
  arguments: [AllreduceAlgorithm.ring, .halvingDoubling], 2...128)
func bytesAreOptimal(algorithm: AllreduceAlgorithm, size: Int) {
  for rank in 0..<size {
    let sent = algorithm.elementsSent(rank: rank, size: size, count: size * 100)
    #expect(sent == 2 * (size - 1) * 100)
  }
}

@Test("rounds are logarithmic where they are said to be", arguments: 1...128)
func roundsAreFew(size: Int) {
  let log = Int.bitWidth - (size - 1).leadingZeroBitCount
  #expect(AllreduceAlgorithm.halvingDoubling.rounds(size: size, count: 1) == 2 * log)
  #expect(AllreduceAlgorithm.tree.rounds(size: size, count: 1) == 2 * log)
  #expect(AllreduceAlgorithm.recursiveDoubling.rounds(size: size, count: 1) <= log + 1)
}

/// A fault planted into correct schedules, and the kind of fault that the proof must report.
private struct Plant: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var plant: @Sendable (inout [Schedule]) -> Void
  var isExpected: @Sendable (ScheduleFault) -> Bool
}

private let plants = [
  Plant(
    testDescription: "a swapped chunk",
    plant: { schedules in
      // Both sides agree on the wrong chunk: ranks 0 and 1, first round.
      for (rank, direction) in [(0, Transfer.Direction.send), (1, .receive)] {
        let index = schedules[rank].rounds[0].transfers.firstIndex { $0.direction == direction }!
        schedules[rank].rounds[0].transfers[index].range = 300..<400
      }
    },
    isExpected: {
      switch $0 {
      case .duplicate, .incomplete: true
      default: false
      }
    }),
  Plant(
    testDescription: "one side's range shifted",
    plant: { $0[2].rounds[1].transfers[0].range = 0..<100 },
    isExpected: { if case .mismatch = $0 { true } else { false } }),
  Plant(
    testDescription: "a missing transfer on both sides",
    plant: { schedules in
      schedules[1].rounds[2].transfers.removeAll { $0.direction == .send }
      schedules[2].rounds[2].transfers.removeAll { $0.direction == .receive }
    },
    isExpected: { if case .incomplete = $0 { true } else { false } }),
  Plant(
    testDescription: "a missing receive",
    plant: { schedules in schedules[2].rounds[2].transfers.removeAll { $0.direction == .receive } },
    isExpected: {
      switch $0 {
      case .deadlock, .mismatch: true
      default: false
      }
    }),
  Plant(
    testDescription: "a doubled round",
    plant: { schedules in
      for rank in schedules.indices {
        schedules[rank].rounds.insert(schedules[rank].rounds[0], at: 1)
      }
    },
    isExpected: { if case .duplicate = $0 { true } else { false } }),
  Plant(
    testDescription: "a cycle: every rank sends before it receives",
    plant: { schedules in
      for rank in schedules.indices {
        schedules[rank].rounds = schedules[rank].rounds.flatMap { round in
          [
            Round(round.transfers.filter { $0.direction == .send }),
            Round(round.transfers.filter { $0.direction == .receive }),
          ]
        }
      }
    },
    isExpected: { fault in
      if case .deadlock(let waiting) = fault { waiting.count == 4 } else { false }
    }),
  Plant(
    testDescription: "a round that writes what it sends",
    plant: { schedules in
      let send = schedules[3].rounds[4].transfers.first { $0.direction == .send }!
      let index = schedules[3].rounds[4].transfers.firstIndex { $0.direction == .receive }!
      schedules[3].rounds[4].transfers[index].range = send.range
    },
    isExpected: { if case .race(rank: 3, round: 4, _, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a peer that does not exist",
    plant: { $0[0].rounds[0].transfers[0].peer = 4 },
    isExpected: { if case .invalid(rank: 0, round: 0, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a range outside of the buffer",
    plant: { $0[0].rounds[0].transfers[0].range = 390..<401 },
    isExpected: { if case .invalid = $0 { true } else { false } }),
  Plant(
    testDescription: "reduce in place of replace",
    plant: { schedules in
      for index in schedules[0].rounds.last!.transfers.indices {
        let last = schedules[0].rounds.count - 1
        if schedules[0].rounds[last].transfers[index].direction == .receive {
          schedules[0].rounds[last].transfers[index].payload = .partial
        }
      }
    },
    isExpected: { if case .duplicate(rank: 0, _, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a rank with another count",
    plant: { $0[1].count = 401 },
    isExpected: { $0 == .inconsistent(rank: 1) }),
]

@Test("the proof catches planted faults", arguments: plants)
private func plantedFault(plant: Plant) throws {
  var broken = schedules(.ring, size: 4, count: 400)
  _ = try ScheduleProof(broken)
  plant.plant(&broken)
  do {
    _ = try ScheduleProof(broken)
    Issue.record("the fault was not found")
  } catch {
    #expect(plant.isExpected(error), "\(error)")
  }
}
