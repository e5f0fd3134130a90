import Testing

@testable import Collective

/// A fault planted into correct schedules, and the kind of fault that the proof must report.
private struct Plant: CustomTestStringConvertible, Sendable {
  var testDescription: String
  /// Of 4 ranks and 400 elements.
  var algorithm = CollectiveAlgorithm.allreduce(.ring)
  var plant: @Sendable (inout [Schedule]) -> Void
  var isExpected: @Sendable (ScheduleFault) -> Bool
}

extension [Schedule] {
  /// Changes what `sender` sends to `receiver` in a round, on both sides.
  fileprivate mutating func change(
    _ sender: Int, to receiver: Int, inRound round: Int, _ body: (inout Transfer) -> Void
  ) {
    for index in self[sender].rounds[round].transfers.indices
    where self[sender].rounds[round].transfers[index].direction == .send
      && self[sender].rounds[round].transfers[index].peer == receiver
    {
      body(&self[sender].rounds[round].transfers[index])
    }
    for index in self[receiver].rounds[round].transfers.indices
    where self[receiver].rounds[round].transfers[index].direction == .receive
      && self[receiver].rounds[round].transfers[index].peer == sender
    {
      body(&self[receiver].rounds[round].transfers[index])
    }
  }

  /// Takes the same transfer away, on both sides.
  fileprivate mutating func remove(_ sender: Int, to receiver: Int, inRound round: Int) {
    self[sender].rounds[round].transfers.removeAll {
      $0.direction == .send && $0.peer == receiver
    }
    self[receiver].rounds[round].transfers.removeAll {
      $0.direction == .receive && $0.peer == sender
    }
  }
}

private let plants = [
  Plant(
    testDescription: "a swapped chunk",
    plant: { $0.change(0, to: 1, inRound: 0) { $0.range = 0..<100 } },
    isExpected: {
      switch $0 {
      case .duplicate, .wrongPayload: true
      default: false
      }
    }),
  Plant(
    testDescription: "one side's range shifted",
    plant: { $0[2].rounds[1].transfers[0].range = 300..<400 },
    isExpected: { if case .mismatch(sender: 2, _, receiver: 3, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a result that never reaches a rank",
    plant: { $0.remove(1, to: 2, inRound: 5) },
    isExpected: { if case .incomplete(rank: 2, _, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a missing receive",
    plant: { schedules in schedules[2].rounds[5].transfers.removeAll { $0.direction == .receive } },
    isExpected: { $0 == .deadlock(waiting: [1: 5]) }),
  Plant(
    testDescription: "a doubled round: every input of one chunk sent twice",
    plant: { schedules in
      for rank in schedules.indices {
        schedules[rank].rounds.insert(schedules[rank].rounds[0], at: 1)
      }
    },
    isExpected: { if case .duplicate = $0 { true } else { false } }),
  Plant(
    testDescription: "an input sent twice in one round",
    algorithm: .reduceScatter(.direct),
    plant: { schedules in
      for rank in [1, 3] {
        let twice = schedules[rank].rounds[0].transfers.filter {
          rank == 1 ? $0.direction == .send && $0.peer == 3 : $0.isReduced && $0.peer == 1
        }
        let index = schedules[rank].rounds[0].transfers.firstIndex(of: twice[0])!
        schedules[rank].rounds[0].transfers.insert(twice[0], at: index)
      }
    },
    isExpected: { $0 == .duplicate(rank: 3, round: 0, range: 300..<400) }),
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
    isExpected: { $0 == .deadlock(waiting: [0: 0, 1: 0, 2: 0, 3: 0]) }),
  Plant(
    testDescription: "a round that writes what it sends",
    plant: { schedules in
      let send = schedules[3].rounds[4].transfers.first { $0.direction == .send }!
      let index = schedules[3].rounds[4].transfers.firstIndex { $0.direction == .receive }!
      schedules[3].rounds[4].transfers[index].range = send.range
    },
    isExpected: { if case .race(rank: 3, round: 4, _, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "contributions that overlap and have different ranges",
    algorithm: .reduceScatter(.direct),
    plant: { $0.change(1, to: 3, inRound: 0) { $0.range = 300..<399 } },
    isExpected: { if case .race(rank: 3, round: 0, _, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "contributions of two kinds to the same elements",
    algorithm: .reduceScatter(.direct),
    plant: { $0.change(1, to: 3, inRound: 0) { $0.payload = .partial } },
    isExpected: { if case .race(rank: 3, round: 0, _, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "receives that are not in the order of their peers",
    algorithm: .allgather(.direct),
    plant: { $0[0].rounds[0].transfers.reverse() },
    isExpected: { $0 == .unordered(rank: 0, round: 0) }),
  Plant(
    testDescription: "a peer that does not exist",
    plant: { $0[0].rounds[0].transfers[0].peer = 4 },
    isExpected: { if case .invalid(rank: 0, round: 0, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a range outside of the buffer",
    plant: { $0[0].rounds[0].transfers[0].range = 390..<401 },
    isExpected: { if case .invalid = $0 { true } else { false } }),
  Plant(
    testDescription: "a rank with another count",
    plant: { $0[1].count = 401 },
    isExpected: { $0 == .inconsistent(rank: 1) }),
  Plant(
    testDescription: "one side that reduces what the other sends as a result",
    plant: { $0[0].rounds[5].transfers[1].payload = .partial },
    isExpected: { if case .mismatch(sender: 3, _, receiver: 0, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a result that is added to what is there",
    plant: { $0.change(3, to: 0, inRound: 5) { $0.payload = .partial } },
    isExpected: { if case .duplicate(rank: 0, round: 5, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a partial sum sent as an input",
    plant: { $0.change(1, to: 2, inRound: 1) { $0.payload = .input } },
    isExpected: { if case .wrongPayload(rank: 1, round: 1, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a result sent before all inputs are in",
    plant: { $0.change(1, to: 2, inRound: 2) { $0.payload = .result } },
    isExpected: { if case .wrongPayload(rank: 1, round: 2, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a result that lacks an input",
    plant: { $0.remove(2, to: 3, inRound: 2) },
    isExpected: { if case .wrongPayload(rank: 3, round: 3, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "a root that lacks inputs",
    algorithm: .reduce(.tree, root: 1),
    plant: { $0.remove(3, to: 1, inRound: 1) },
    isExpected: { $0 == .incomplete(rank: 1, element: 0, missing: [0, 3]) }),
  Plant(
    testDescription: "a broadcast that leaves a rank out",
    algorithm: .broadcast(.tree, root: 0),
    plant: { $0.remove(2, to: 3, inRound: 1) },
    isExpected: { $0 == .incomplete(rank: 3, element: 0, missing: [0]) }),
  Plant(
    testDescription: "a broadcast that sends what has not come yet",
    algorithm: .broadcast(.tree, root: 0),
    plant: { schedules in
      for rank in schedules.indices { schedules[rank].rounds.reverse() }
    },
    isExpected: { if case .undefined(rank: 2, round: 0, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "an addition to what is undefined",
    algorithm: .allgather(.ring),
    plant: { $0.change(0, to: 1, inRound: 0) { $0.payload = .partial } },
    isExpected: { if case .undefined(rank: 1, round: 0, _) = $0 { true } else { false } }),
  Plant(
    testDescription: "chunks that end on the wrong ranks",
    algorithm: .reduceScatter(.ring),
    plant: { schedules in
      for rank in schedules.indices {
        for round in schedules[rank].rounds.indices {
          for index in schedules[rank].rounds[round].transfers.indices {
            let start = schedules[rank].rounds[round].transfers[index].range.lowerBound
            let next = (start + 100) % 400
            schedules[rank].rounds[round].transfers[index].range = next..<next + 100
          }
        }
      }
    },
    isExpected: { if case .incomplete(rank: 0, element: 0, _) = $0 { true } else { false } }),
]

@Test("the proof catches planted faults", arguments: plants)
private func plantedFault(plant: Plant) throws {
  let generator = plant.algorithm.generator(size: 4, count: 400)
  var schedules = (0..<4).map(generator.schedule(of:))
  _ = try ScheduleProof(schedules, goal: plant.algorithm.goal)
  plant.plant(&schedules)
  do {
    _ = try ScheduleProof(schedules, goal: plant.algorithm.goal)
    Issue.record("the fault was not found")
  } catch {
    #expect(plant.isExpected(error), "\(error)")
  }
}

@Test("what is right for one goal is a fault for another")
func otherGoal() throws {
  func schedules(_ algorithm: CollectiveAlgorithm) -> [Schedule] {
    (0..<4).map(algorithm.generator(size: 4, count: 400).schedule(of:))
  }
  let allreduce = schedules(.allreduce(.halvingDoubling))
  _ = try ScheduleProof(allreduce)
  _ = try ScheduleProof(allreduce, goal: .reduce(root: 2))
  let reduceScatter = schedules(.reduceScatter(.circulant))
  #expect(throws: ScheduleFault.incomplete(rank: 0, element: 100, missing: [1, 3])) {
    try ScheduleProof(reduceScatter, goal: .allreduce)
  }
  #expect(throws: ScheduleFault.self) {
    try ScheduleProof(schedules(.reduce(.tree, root: 1)), goal: .reduce(root: 0))
  }
}
