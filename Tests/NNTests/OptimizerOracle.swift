import Foundation
import TestSupport
import Testing

@testable import NN

/// What Oracles/optimizers.py wrote: PyTorch's optimizers and schedules in float64, and LARS and
/// LAMB after their papers.
private struct OptimizerOracle: @unchecked Sendable {  // never written
  let json: [String: Any]

  static let shared = OptimizerOracle()

  private init() {
    let path = "\(Location.package)/Tests/NNTests/Oracles/optimizers.json"
    let data = try! Data(contentsOf: URL(fileURLWithPath: path))
    json = try! JSONSerialization.jsonObject(with: data) as! [String: Any]
  }

  func cases(_ key: String) -> [[String: Any]] { json[key] as! [[String: Any]] }
}

/// One optimizer with one set of settings, on a weight of 3 x 2 and a bias of 3.
struct OptimizerCase: CustomTestStringConvertible, Sendable {
  var specification: OptimizerSpecification
  var learningRate: Float
  var clipping = GradientClipping.none
  var l1: Float = 0
  /// Parameters after some of the steps, weight and bias joined.
  var trajectory: [(step: Int, parameters: [Double])]
  var testDescription: String

  static func all() -> [OptimizerCase] {
    OptimizerOracle.shared.cases("optimizers").map { OptimizerCase($0) }
  }

  private init(_ json: [String: Any]) {
    let name = json["name"] as! String
    let settings = json["settings"] as! [String: NSNumber]
    testDescription = "\(name) \(settings)"
    specification = OptimizerSpecification(OptimizerSpecification.kind(name)!)
    learningRate = settings["learning-rate"]!.floatValue
    for (key, value) in settings {
      switch key {
      case "learning-rate": break
      case "l1": l1 = value.floatValue
      case "clip-norm": clipping = .norm(value.doubleValue)
      case "clip-value": clipping = .value(value.doubleValue)
      case "nesterov", "centered", "exclude-vectors":
        specification.values[flag: key] = value.boolValue
      default: specification.values[number: key] = value.doubleValue
      }
    }
    trajectory = (json["trajectory"] as! [[String: Any]]).map {
      ($0["step"] as! Int, $0["parameters"] as! [Double])
    }
  }
}

/// One shape of a schedule, over 20 steps.
struct ScheduleCase: CustomTestStringConvertible, Sendable {
  static let peak = OptimizerOracle.shared.json["peak"] as! Double

  var shape: LearningRateSchedule.Shape
  var warmupSteps: Int
  var rates: [Double]
  var testDescription: String { "\(shape), \(warmupSteps) steps of warm-up" }

  static func all() -> [ScheduleCase] {
    OptimizerOracle.shared.cases("schedules").map { ScheduleCase($0) }
  }

  private init(_ json: [String: Any]) {
    let settings = json["settings"] as! [String: Any]
    let end = settings["end-factor"] as? Double ?? 0
    func number(_ key: String) -> Double { settings[key] as! Double }
    shape =
      switch settings["name"] as! String {
      case "constant": .constant
      case "linear": .linear(end: end)
      case "exponential": .exponential(gamma: number("gamma"))
      case "cosine": .cosine(end: end)
      case "polynomial": .polynomial(power: number("power"), end: end)
      case "step":
        (settings["milestones"] as? [Int]).map { .milestones($0, gamma: number("gamma")) }
          ?? .steps(every: settings["every"] as! Int, gamma: number("gamma"))
      case let name: preconditionFailure("no schedule is called \(name)")
      }
    warmupSteps = settings["warmup-steps"] as! Int
    rates = json["rates"] as! [Double]
  }
}
