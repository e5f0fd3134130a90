import Foundation
import Testing

@testable import Benchmarks

/// From durations to what is reported.
struct MeasurementTests {
  @Test("minimum, median and 95th percentile of durations, in microseconds")
  func timing() {
    let hundred = Timing(nanoseconds: (1...100).map { Int64($0) * 1000 }.shuffled())
    #expect(hundred.minimum == 1 && hundred.median == 50.5 && hundred.percentile95 == 95)
    let three = Timing(nanoseconds: [3000, 1000, 2500])
    #expect(three.minimum == 1 && three.median == 2.5 && three.percentile95 == 3)
    let one = Timing(nanoseconds: [700])
    #expect(one == Timing(nanoseconds: [700, 700]))
  }

  @Test("bandwidths are those of nccl-tests", arguments: [(1, 0.0), (2, 1), (4, 1.5), (8, 1.75)])
  func bandwidth(ranks: Int, factor: Double) {
    let bandwidth = Bandwidth(byteCount: 8_000_000, microseconds: 1000, ranks: ranks)
    #expect(bandwidth.algorithm == 8)
    #expect(bandwidth.bus == 8 * factor)
  }

  private func result(
    _ name: String, _ kind: CandidateKind, outOfPlace: Int64, inPlace: Int64
  ) -> ResultRecord {
    let measurement = Measurement(
      candidate: name, kind: kind,
      outOfPlace: .init(timing: Timing(nanoseconds: [outOfPlace]), wrong: 0),
      inPlace: .init(timing: Timing(nanoseconds: [inPlace]), wrong: 0), stream: 1)
    return ResultRecord(measurement, count: 16, type: .float32, reduction: .sum, ranks: 2)
  }

  @Test("our choice is compared with the fastest of MPI's, for each mode")
  func comparison() throws {
    let records = ComparisonRecord.all([
      result("auto/window", .lockstep, outOfPlace: 2000, inPlace: 1000),
      result("ring/window", .lockstep, outOfPlace: 10, inPlace: 10),
      result("mpi/default", .mpi, outOfPlace: 3000, inPlace: 4000),
      result("mpi/ring", .mpi, outOfPlace: 5000, inPlace: 500),
      result("memcpy", .memcpy, outOfPlace: 1, inPlace: 1),
    ])
    #expect(records.count == 1)
    let record = try #require(records.first)
    #expect(record.candidate == "auto/window" && record.size == 64)
    #expect(record.outOfPlace.ratio == 1.5 && record.outOfPlace.against == "mpi/default")
    #expect(record.inPlace.ratio == 0.5 && record.inPlace.against == "mpi/ring")
    #expect(
      ComparisonRecord.all([result("auto/window", .lockstep, outOfPlace: 1, inPlace: 1)]).isEmpty)
  }
}
