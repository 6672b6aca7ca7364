//! What a sling can say besides the task: how rigorously, with which words, to whom, after what; and formulas.

use super::reviews::Desk;
use crate::support::{code, refusal};
use base::error::{Code, Failure};
use gastown_mcp::contract::ids::{AgentId, BeadId};
use gastown_mcp::contract::shapes::{BeadStatus, CurrentStep, Molecule, MoleculeStatus, Quality, SlingResult};
use gastown_mcp::objects::store::sql::Sql;
use gastown_mcp::rpc::table as rpc;
use serde_json::{Value, json};

impl Desk {
    fn sling_with(&self, more: Value) -> Result<SlingResult, Failure> {
        let mut input = json!({"rigId": self.rig.id});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.town.sling_as(&self.rig, input, &self.town.owner())
    }

    fn apply(&self, bead: &BeadId, input: Value) -> Result<Molecule, Failure> {
        self.town.fleet.ask(&self.rig.at, &rpc::APPLY_FORMULA, (bead, input), &self.town.owner())
    }

    fn molecule(&self, bead: &BeadId, formula: Value) -> Result<Molecule, Failure> {
        self.town.fleet.ask(&self.rig.at, &rpc::CREATE_MOLECULE, (bead, formula), &self.town.owner())
    }

    fn current(&self, agent: &AgentId) -> Option<CurrentStep> {
        self.town.fleet.ask(&self.rig.at, &rpc::GET_MOLECULE_STEP, (agent,), &self.town.owner()).unwrap()
    }

    fn advance(&self, agent: &AgentId, summary: &str) -> Result<Option<Molecule>, Failure> {
        self.town.fleet.ask(&self.rig.at, &rpc::ADVANCE_MOLECULE, (agent, summary), &self.town.owner())
    }

    fn quality_tally(&self, quality: &str) -> i64 {
        let count = format!("SELECT coalesce((SELECT beads FROM quality_tally WHERE quality = '{quality}'), 0)");
        self.town.sql(&self.rig.at).value(&count)
    }
}

// S3-11, S3-27, S3-29.
#[test]
fn a_quality_gives_the_bead_its_formula_and_its_gates_are_kept() {
    let desk = Desk::new();
    let slung = desk.sling_with(json!({"title": "a", "quality": "chrome"})).unwrap();
    assert_eq!((slung.bead.quality, slung.molecule.as_deref()), (Some(Quality::Chrome), Some("1/9 design")));
    assert_eq!(desk.quality_tally("chrome"), 1);
    let (bead, agent) = (slung.bead.bead_id, slung.agent.unwrap());
    assert_eq!(desk.bead(&bead).metadata["formula"], "chrome");
    let done = || desk.done(&agent.id, json!({"branch": agent.branch, "summary": "finished"}));
    let early = refusal(done());
    assert_eq!(
        (early.code, early.message),
        (Code::Conflict, format!("Bead {bead} follows chrome and is at step 1 of 9: 6 gate(s) are not through"))
    );
    assert_eq!(desk.bead(&bead).status, BeadStatus::Open);
    for step in 0..8 {
        let current = desk.current(&agent.id).unwrap();
        assert_eq!(current.molecule.current_step, step);
        if current.step.gate {
            assert!(refusal(desk.advance(&agent.id, " ")).message.contains("it is a gate"));
        }
        let summary = if current.step.gate { "found nothing" } else { "" };
        assert_eq!(desk.advance(&agent.id, summary).unwrap().unwrap().current_step, step + 1);
        if step == 3 {
            desk.town.fleet.restart();
        }
    }
    assert_eq!(desk.current(&agent.id).unwrap().step.title, "submit");
    done().unwrap();
    let text: String =
        desk.town.sql(&desk.rig.at).value("SELECT status || ' ' || current_step || ' ' || json_array_length(summaries) FROM molecules");
    assert_eq!(text, "completed 9 9");
    desk.complete(&desk.requests()[0].bead_id, "merged", json!({"commit_sha": "abcdef0"})).unwrap();
    assert_eq!(desk.quality_tally("chrome"), 0);
}

// S3-17.
#[test]
fn any_other_quality_is_refused_with_the_list() {
    let desk = Desk::new();
    let message = "quality must be one of basic (trivial fixes), shiny (standard workflow), chrome (maximum rigor)";
    for wrong in ["platinum", "Chrome", ""] {
        let refusal = refusal(desk.sling_with(json!({"title": "a", "quality": wrong})));
        assert_eq!((refusal.code, refusal.message.as_str()), (Code::InvalidArgument, message));
    }
    assert!(desk.town.beads(&desk.rig, json!({})).is_empty());
    for (quality, steps) in [("basic", 2), ("shiny", 5), ("chrome", 9)] {
        let slung = desk.sling_with(json!({"title": quality, "quality": quality})).unwrap();
        assert!(slung.molecule.unwrap().starts_with(&format!("1/{steps} ")));
    }
}

// S3-12, S3-28.
#[test]
fn args_reach_the_worker_with_the_bead() {
    let desk = Desk::new();
    let slung = desk.sling_with(json!({"title": "a", "args": "focus on security"})).unwrap();
    assert_eq!(desk.bead(&slung.bead.bead_id).metadata["args"], "focus on security");
    let refusal = refusal(desk.sling_with(json!({"title": "a", "args": "a".repeat(4_001)})));
    assert_eq!(refusal.message, "args must have at most 4000 bytes");
}

// S3-09, S3-10, S3-12, S3-15.
#[test]
fn work_that_exists_can_be_slung_with_a_formula_and_args() {
    let desk = Desk::new();
    desk.town.configure(json!({"max_polecats_per_rig": 1})).unwrap();
    let bead = desk.town.create_bead(&desk.rig, json!({"type": "issue", "title": "old", "metadata": {"kept": 1}})).unwrap().bead_id;
    let slung = desk.sling_with(json!({"bead_id": bead, "quality": "shiny", "args": "be brief"})).unwrap();
    assert_eq!((slung.bead.bead_id.clone(), slung.bead.title.as_str(), slung.bead.quality), (bead.clone(), "old", Some(Quality::Shiny)));
    assert_eq!(slung.molecule.as_deref(), Some("1/5 design"));
    let agent = slung.agent.unwrap();
    let stored = desk.bead(&bead);
    assert_eq!((&stored.metadata["kept"], &stored.metadata["args"]), (&json!(1), &json!("be brief")));
    assert_eq!(stored.assignee_agent_bead_id, Some(agent.id.clone()));
    let held = refusal(desk.sling_with(json!({"bead_id": bead})));
    assert_eq!(held.message, format!("Bead {bead} is already hooked by Toast (agent {})", agent.id));
    // The rig is full: the bead keeps its place in the queue.
    let (first, second) = (desk.town.sling(&desk.rig, "q1").bead.bead_id, desk.town.sling(&desk.rig, "q2").bead.bead_id);
    for (id, place) in [(&second, 2), (&first, 1)] {
        let again = desk.sling_with(json!({"bead_id": id})).unwrap();
        assert_eq!((again.agent, again.queue_position), (None, Some(place)));
    }
    desk.town.close(&desk.rig, &bead);
    assert!(refusal(desk.sling_with(json!({"bead_id": bead}))).message.contains("is closed: only open beads are slung"));
    assert_eq!(code(desk.sling_with(json!({"bead_id": BeadId::from_random([9; 16])}))), Code::NotFound);
    let escalation = desk.town.create_bead(&desk.rig, json!({"type": "escalation", "title": "e"})).unwrap().bead_id;
    assert_eq!(code(desk.sling_with(json!({"bead_id": escalation}))), Code::Conflict);
    for both in [json!({"title": "x"}), json!({"body": "x"}), json!({"labels": []}), json!({"priority": "low"}), json!({"hold": false})] {
        let mut input = json!({"bead_id": second});
        input.as_object_mut().unwrap().extend(both.as_object().unwrap().clone());
        assert!(refusal(desk.sling_with(input)).message.contains("are for a new bead"));
    }
}

#[test]
fn a_named_polecat_gets_the_work_or_the_refusal_says_what_it_holds() {
    let desk = Desk::new();
    let (bead, toast) = desk.sling("a");
    let (other, maple) = desk.sling("b");
    desk.town.close(&desk.rig, &other);
    for named in ["Maple", maple.id.as_str()] {
        let slung = desk.sling_with(json!({"title": "c", "agent": named})).unwrap();
        assert_eq!(slung.agent.unwrap().id, maple.id);
        desk.town.close(&desk.rig, &slung.bead.bead_id);
    }
    let busy = refusal(desk.sling_with(json!({"title": "c", "agent": "Toast"})));
    assert_eq!((busy.code, busy.message), (Code::Conflict, format!("Toast (agent {}) holds bead {bead}", toast.id)));
    let nobody = refusal(desk.sling_with(json!({"title": "c", "agent": "Birch"})));
    assert_eq!((nobody.code, nobody.hint.as_deref()), (Code::NotFound, Some("Polecats: Toast, Maple.")));
    // The refinery takes merge requests only.
    assert_eq!(code(desk.sling_with(json!({"title": "c", "agent": "refinery"}))), Code::NotFound);
    for impossible in [json!({"hold": true}), json!({"labels": ["gt:held"]}), json!({"depends_on": [bead]})] {
        let mut input = json!({"title": "c", "agent": "Maple"});
        input.as_object_mut().unwrap().extend(impossible.as_object().unwrap().clone());
        assert_eq!(code(desk.sling_with(input)), Code::InvalidArgument, "{impossible}");
    }
    let count = desk.town.beads(&desk.rig, json!({})).len();
    desk.town.sql(&desk.rig.at).exec("UPDATE rig SET parked = 1", "[]").unwrap();
    assert_eq!(refusal(desk.sling_with(json!({"title": "c", "agent": "Maple"}))).message, "Rig frontend is parked: nothing is given out");
    assert_eq!(desk.town.beads(&desk.rig, json!({})).len(), count);
}

// S3-44.
#[test]
fn a_bead_waits_for_those_it_depends_on_and_one_on_hold_for_a_person() {
    let desk = Desk::new();
    let (first, _) = desk.sling("first");
    let slung = desk.sling_with(json!({"title": "second", "depends_on": [first]})).unwrap();
    assert_eq!((slung.bead.blockers_open, &slung.agent, slung.queue_position), (1, &None, None));
    desk.town.close(&desk.rig, &first);
    assert!(desk.bead(&slung.bead.bead_id).assignee_agent_bead_id.is_some());
    // What is done already is not waited for.
    assert!(desk.sling_with(json!({"title": "third", "depends_on": [first]})).unwrap().agent.is_some());
    let unknown = BeadId::from_random([9; 16]);
    let missing = refusal(desk.sling_with(json!({"title": "t", "depends_on": [unknown]})));
    assert_eq!((missing.code, missing.message), (Code::NotFound, format!("depends_on: bead {unknown} not found in this rig")));
    assert_eq!(code(desk.sling_with(json!({"title": "t", "depends_on": vec![unknown; 51]}))), Code::InvalidArgument);
    let held = desk.sling_with(json!({"title": "plan", "hold": true})).unwrap();
    assert_eq!((held.bead.labels, held.agent, held.queue_position), (vec!["gt:held".to_owned()], None, None));
}

// S3-08.
#[test]
fn the_mayor_gets_a_bead_as_a_bead_and_is_told() {
    let desk = Desk::new();
    let slung = desk.sling_with(json!({"title": "Choose a license", "agent": "mayor", "args": "ask legal"})).unwrap();
    let mayor: String = desk.town.sql(&desk.rig.at).value("SELECT mayor_agent_id FROM rig");
    let bead = desk.bead(&slung.bead.bead_id);
    assert_eq!(bead.assignee_agent_bead_id.as_ref().map(AgentId::as_str), Some(mayor.as_str()));
    assert_eq!((slung.agent, slung.queue_position), (None, None));
    assert_eq!(bead.labels, ["gt:mayor", "gt:held"]);
    let told = "SELECT subject || ': ' || body FROM messages WHERE recipient = 'mayor'";
    let told: String = desk.town.sql(&desk.rig.at).value(told);
    assert!(told.starts_with("Choose a license: Bead ") && told.ends_with("ask legal"), "{told}");
    desk.town.fleet.advance(600_000);
    assert_eq!(desk.town.agents(&desk.rig).len(), 1, "only the refinery");
    // From the Mayor's desk to a polecat.
    let given = desk.sling_with(json!({"bead_id": bead.bead_id})).unwrap();
    assert!(given.agent.is_some() && given.bead.labels.is_empty());
    let convoy = desk.town.convoy(&desk.rig, Some(true), &[&[]]);
    assert_eq!(code(desk.sling_with(json!({"bead_id": convoy.beads[0].bead.bead_id, "agent": "mayor"}))), Code::Conflict);
}

// S3-14.
#[test]
fn a_town_has_formulas_of_its_own_with_variables() {
    let desk = Desk::new();
    let steps = json!([{"title": "Move {{disks}} disks", "instructions": "from A to {{peg}}"}]);
    desk.town.configure(json!({"formulas": {"hanoi": {"vars": {"disks": null, "peg": "C"}, "steps": steps}}})).unwrap();
    let slung = desk.sling_with(json!({"title": "a", "formula": "hanoi", "vars": {"disks": 5}})).unwrap();
    assert_eq!(slung.molecule.as_deref(), Some("1/1 Move 5 disks"));
    let step = desk.current(&slung.agent.unwrap().id).unwrap().step;
    assert_eq!(step.instructions, "from A to C");
    for (more, expected, says) in [
        (json!({"formula": "hanoi"}), Code::InvalidArgument, "formula hanoi needs disks"),
        (json!({"formula": "hanoi", "vars": {"disks": 1, "x": 1}}), Code::InvalidArgument, "has no variable x"),
        (json!({"formula": "shiny", "vars": {"x": 1}}), Code::InvalidArgument, "has no variable x"),
        (json!({"vars": {"x": 1}}), Code::InvalidArgument, "vars are for a formula"),
        (json!({"formula": "nothing"}), Code::NotFound, "neither this town nor Gastown has one of that name"),
    ] {
        let mut input = json!({"title": "b"});
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let refusal = refusal(desk.sling_with(input));
        assert_eq!(refusal.code, expected);
        assert!(refusal.message.contains(says), "{}", refusal.message);
        if expected == Code::NotFound {
            assert!(refusal.hint.unwrap().starts_with("Formulas: basic, shiny, chrome, hanoi."));
        }
    }
    let refused = refusal(desk.town.configure(json!({"formulas": {"chrome": {"steps": steps}}})));
    assert!(refused.message.contains("none of the built-in ones"), "{}", refused.message);
    // A town that drops its formulas has none in its rigs either.
    desk.town.configure(json!({"formulas": null})).unwrap();
    assert_eq!(code(desk.sling_with(json!({"title": "c", "formula": "hanoi", "vars": {"disks": 1}}))), Code::NotFound);
}

// S3-10.
#[test]
fn a_formula_is_applied_to_work_that_is_not_in_another() {
    let desk = Desk::new();
    let (bead, agent) = desk.sling("a");
    assert_eq!(desk.current(&agent.id), None);
    assert_eq!(desk.advance(&agent.id, "x").unwrap(), None);
    let molecule = desk.apply(&bead, json!({"quality": "basic"})).unwrap();
    assert_eq!((molecule.current_step, molecule.status), (0, MoleculeStatus::Active));
    assert_eq!(desk.bead(&bead).quality, Some(Quality::Basic));
    // Not begun: it may still be another one. A formula by name leaves the quality as it is.
    assert_eq!(desk.apply(&bead, json!({"formula": "shiny"})).unwrap().formula.name.as_deref(), Some("shiny"));
    assert_eq!(desk.bead(&bead).quality, Some(Quality::Basic));
    desk.advance(&agent.id, "designed").unwrap();
    let under_way = refusal(desk.apply(&bead, json!({"quality": "chrome"})));
    assert_eq!((under_way.code, under_way.message), (Code::Conflict, format!("Bead {bead} follows shiny and is at step 2 of 5")));
    for input in [json!({}), json!({"vars": {"a": 1}})] {
        assert_eq!(code(desk.apply(&bead, input)), Code::InvalidArgument);
    }
    desk.town.close(&desk.rig, &bead);
    assert!(refusal(desk.apply(&bead, json!({"quality": "basic"}))).message.contains("is closed: it cannot follow a formula"));
    assert_eq!(code(desk.apply(&BeadId::from_random([9; 16]), json!({"quality": "basic"}))), Code::NotFound);
}

// Gastown contract 2.5 and 4.2.
#[test]
fn a_molecule_of_bare_steps_is_followed_step_by_step() {
    let desk = Desk::new();
    let (bead, agent) = desk.sling("a");
    let step = |title: &str| json!({"title": title, "instructions": "i"});
    let molecule = desk.molecule(&bead, json!({"steps": [step("one"), step("two")]})).unwrap();
    assert_eq!(molecule.formula.steps.len(), 2);
    assert_eq!(desk.bead(&bead).metadata.get("formula"), None);
    assert_eq!(desk.current(&agent.id).unwrap().step.title, "one");
    assert_eq!(refusal(desk.advance(&agent.id, &"s".repeat(5_001))).message, "summary must have at most 5000 characters");
    let own = desk.town.polecat(&desk.rig, &AgentId::from_random([9; 16]));
    let foreign = desk.town.fleet.ask::<Option<Molecule>>(&desk.rig.at, &rpc::ADVANCE_MOLECULE, (&agent.id, "s"), &own);
    assert_eq!(code(foreign), Code::Forbidden);
    assert_eq!(desk.advance(&agent.id, "first").unwrap().unwrap().summaries, ["first"]);
    let through = desk.advance(&agent.id, "second").unwrap().unwrap();
    assert_eq!((through.status, through.current_step), (MoleculeStatus::Completed, 2));
    assert_eq!(desk.current(&agent.id), None);
    assert_eq!(desk.molecule(&bead, json!({"name": "basic"})).unwrap().formula.name.as_deref(), Some("basic"));
    for wrong in [json!({}), json!({"steps": []}), json!({"steps": [step("x")], "name": "basic"}), json!({"steps": [step("")]})] {
        assert_eq!(code(desk.molecule(&bead, wrong)), Code::InvalidArgument);
    }
    // Without gates work is submitted at any step, as in the contract.
    desk.done(&agent.id, json!({"branch": "b"})).unwrap();
    let status: String = desk.town.sql(&desk.rig.at).value("SELECT status FROM molecules");
    assert_eq!(status, "active");
}

#[test]
fn a_molecule_of_work_that_ended_on_the_way_has_failed() {
    let desk = Desk::new();
    let slung = desk.sling_with(json!({"title": "a", "quality": "shiny"})).unwrap();
    desk.town.close(&desk.rig, &slung.bead.bead_id);
    assert_eq!(desk.current(&slung.agent.unwrap().id), None);
    let again = refusal(desk.apply(&slung.bead.bead_id, json!({"quality": "basic"})));
    assert_eq!(again.code, Code::Conflict);
}
