import Foundation
import Testing

@testable import NN

struct LearningRateScheduleTests {
  @Test("a constant rate stays at its peak", arguments: [0, 1, 99, 100, 1000])
  func constant(step: Int) {
    let schedule = LearningRateSchedule(peak: 0.1)
    #expect(schedule.rate(step: step, totalSteps: 100) == 0.1)
  }

  @Test(
    "the warm-up rises linearly from its first step to the peak at its last",
    arguments: [
      .constant, .linear(end: 0), .exponential(gamma: 0.5), .steps(every: 10, gamma: 0.5),
      .milestones([7], gamma: 0.5), .cosine(end: 0), .polynomial(power: 2, end: 0.5),
    ] as [LearningRateSchedule.Shape])
  func warmUp(shape: LearningRateSchedule.Shape) {
    let schedule = LearningRateSchedule(shape: shape, peak: 0.5, warmupSteps: 5)
    let rates = (0..<6).map { schedule.rate(step: $0, totalSteps: 50) }
    // The step after the warm-up is the peak again: there the shape begins.
    #expect(rates == [0.1, 0.2, 0.3, 0.4, 0.5, 0.5])
  }

  @Test("a cosine falls from the peak to 0 over the steps after the warm-up")
  func cosine() {
    let schedule = LearningRateSchedule(shape: .cosine(end: 0), peak: 0.8, warmupSteps: 10)
    func rate(_ step: Int) -> Float { schedule.rate(step: step, totalSteps: 110) }
    #expect(rate(10) == 0.8)
    #expect(rate(60) == 0.4)
    #expect(rate(35) == Float(0.4 * (1 + 0.5.squareRoot())))
    // The last step still learns; the one after it would not.
    #expect(rate(109) > 0 && rate(109) < 0.8 * 0.001)
    #expect(rate(110) == 0 && rate(1000) == 0)
    for step in 10..<109 { #expect(rate(step + 1) < rate(step)) }
  }

  @Test("a cosine without warm-up starts at the peak")
  func noWarmUp() {
    let schedule = LearningRateSchedule(shape: .cosine(end: 0), peak: 1)
    #expect(schedule.rate(step: 0, totalSteps: 2) == 1)
    #expect(schedule.rate(step: 1, totalSteps: 2) == 0.5)
    #expect(schedule.rate(step: 0, totalSteps: 1) == 1)
  }

  /// A rate is a Float: 2^-24 of rounding. The table has 12 digits.
  @Test("every schedule is PyTorch's, with and without warm-up", arguments: ScheduleCase.all())
  func oracle(reference: ScheduleCase) {
    let schedule = LearningRateSchedule(
      shape: reference.shape, peak: ScheduleCase.peak, warmupSteps: reference.warmupSteps)
    #expect(reference.rates.count == 20)
    for (step, rate) in reference.rates.enumerated() {
      let error = (Double(schedule.rate(step: step, totalSteps: 20)) - rate).magnitude
      #expect(error <= 1e-7 * rate, "step \(step)")
    }
  }

  @Test("a rate is a function of the step: in any order the rates are the same")
  func pure() {
    for reference in ScheduleCase.all() {
      let schedule = LearningRateSchedule(shape: reference.shape, peak: 1, warmupSteps: 3)
      func rates(_ steps: [Int]) -> [Int: Float] {
        steps.reduce(into: [:]) { $0[$1] = schedule.rate(step: $1, totalSteps: 20) }
      }
      #expect(rates(Array(0..<25)) == rates((0..<25).reversed()))
    }
  }

  @Test("steps are counted from the run's first, warm-up or not")
  func stepsOfTheRun() {
    func rates(_ shape: LearningRateSchedule.Shape) -> [Float] {
      let schedule = LearningRateSchedule(shape: shape, peak: 1, warmupSteps: 2)
      return (0..<7).map { schedule.rate(step: $0, totalSteps: 7) }
    }
    #expect(rates(.steps(every: 3, gamma: 0.5)) == [0.5, 1, 1, 0.5, 0.5, 0.5, 0.25])
    #expect(rates(.milestones([1, 4], gamma: 0.5)) == [0.5, 1, 0.5, 0.5, 0.25, 0.25, 0.25])
  }

  @Test(
    "a run that ends within its warm-up, or at its end, has finite rates", arguments: [0, 3, 5])
  func shortRun(totalSteps: Int) {
    let schedule = LearningRateSchedule(shape: .cosine(end: 0), peak: 1, warmupSteps: 5)
    #expect(schedule.rate(step: 2, totalSteps: totalSteps) == 0.6)
    #expect(schedule.rate(step: 5, totalSteps: totalSteps) == 1)
    #expect(schedule.rate(step: 6, totalSteps: totalSteps) == 0)
  }
}
