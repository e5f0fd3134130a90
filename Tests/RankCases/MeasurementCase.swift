import Collective
import Kernels
import MPI

/// Links and arithmetic measured over MPI: the same on all ranks, and for every link that there is.
func measurementCase(_ world: Communicator) throws {
  // Two nodes, as far as the measurement is told.
  let nodes = (0..<world.size).map { 2 * $0 / world.size }
  let transport = try MPITransport(world)
  let kernels = KernelSet(InstructionSet.supported.last!)
  let measured = try measureLinks(over: transport, kernels: kernels, nodes: nodes)
  for link in [measured.withinNode, measured.betweenNodes].flatMap({
    [$0.replacing, $0.reducing, $0.combining, $0.oneWay]
  }) {
    try expect(link.allSatisfy { $0.seconds > 0 }, "a message that takes no time")
    try expect(zip(link, link.dropFirst()).allSatisfy { $0.bytes < $1.bytes }, "not ascending")
  }
  try expect(measured.withinNode.isEmpty == (world.size < 3), "links within a node")
  try expect(measured.betweenNodes.isEmpty == (world.size < 2), "links between nodes")

  let text = "\(measured)"
  let all = try transport.allgather(Array(text.utf8))
  try expect(all.allSatisfy { $0 == Array(text.utf8) }, "ranks differ")
}
