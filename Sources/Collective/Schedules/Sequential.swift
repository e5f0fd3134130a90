/// One collective after the other, on the same ranks and the same buffer: a reduce-scatter and then
/// an allgather are an allreduce.
struct Sequential<First: ScheduleGenerator, Second: ScheduleGenerator>: ScheduleGenerator {
  let first: First
  let second: Second

  init(_ first: First, _ second: Second) {
    precondition(first.size == second.size && first.count == second.count)
    self.first = first
    self.second = second
  }

  var size: Int { first.size }
  var count: Int { first.count }
  var roundCount: Int { first.roundCount + second.roundCount }

  func round(_ number: Int, of rank: Int) -> Round {
    let rest = number - first.roundCount
    return rest < 0 ? first.round(number, of: rank) : second.round(rest, of: rank)
  }

  func elementsSent(by rank: Int) -> Int {
    first.elementsSent(by: rank) + second.elementsSent(by: rank)
  }
}
