//! Molecules: the formula that a bead follows, and how far its worker is.
//!
//! Owns the `molecules` table. One molecule per bead; it never outlives its bead: the molecule of a bead that ended on
//! the way reads as failed.

use crate::contract::formulas;
use crate::contract::ids::{AgentId, BeadId};
use crate::contract::letters::rig::RigState;
use crate::contract::shapes::{ApplyFormulaInput, Bead, BeadType, CurrentStep, Formula, FormulaInput, Molecule, MoleculeStatus, Quality};
use crate::objects::handler::{Answer, Caller, Cx, json};
use crate::objects::rig::assignment::orders;
use crate::objects::rig::{agents, beads, outbox_letters, state};
use crate::objects::store::sql::{execute, query_one};
use base::error::{Code, Failure, Fault, Refusal, refuse};
use serde_json::{Map, Value};

/// Longest summary of a step, in characters (Gastown contract 4.2).
pub const SUMMARY_CHARS_MAX: usize = 5_000;

/// The molecule of a bead.
pub(in crate::objects::rig) fn find(cx: &Cx<'_>, bead: &BeadId) -> Result<Option<Molecule>, Fault> {
    query_one(
        cx.sql,
        "-- molecules_find\nSELECT molecules.id, molecules.bead_id, formula, current_step,
           CASE WHEN molecules.status = 'active' AND beads.status IN ('closed', 'failed') THEN 'failed' ELSE molecules.status END AS status,
           summaries, molecules.created_at, molecules.updated_at
         FROM molecules LEFT JOIN beads ON beads.bead_id = molecules.bead_id WHERE molecules.bead_id = ?",
        (bead,),
    )
}

/// How far a bead's formula is, as in `2/5 implement`: the step that is next.
pub(in crate::objects::rig) fn progress(cx: &Cx<'_>, bead: &BeadId) -> Result<Option<String>, Fault> {
    Ok(find(cx, bead)?.map(|molecule| {
        let steps = molecule.formula.steps.len();
        match molecule.formula.steps.get(molecule.current_step) {
            Some(step) => format!("{}/{steps} {}", molecule.current_step + 1, step.title),
            None => format!("{steps}/{steps} done"),
        }
    }))
}

/// A formula that was asked for by name, by quality, or not at all.
///
/// # Errors
/// `InvalidArgument`, `NotFound`: see `formulas`.
pub(in crate::objects::rig) fn asked(
    cx: &Cx<'_>,
    name: Option<&str>,
    quality: Option<&str>,
    vars: Option<&Map<String, Value>>,
) -> Result<(Option<Formula>, Option<Quality>), Failure> {
    let quality = quality.map(formulas::quality).transpose()?;
    // A formula that is named goes before the one of the quality, which then only says how much rigor is wanted.
    let Some(name) = name.or(quality.map(Quality::as_str)) else {
        return match vars {
            Some(vars) if !vars.is_empty() => Err(refuse(Code::InvalidArgument, "vars are for a formula: name one")),
            _ => Ok((None, None)),
        };
    };
    let none = Map::new();
    Ok((Some(named(cx, name, vars.unwrap_or(&none))?), quality))
}

/// Lets a bead follow a formula from its first step.
///
/// # Errors
/// `Conflict` when it has ended, or is under way in another molecule.
pub(in crate::objects::rig) fn apply(cx: &Cx<'_>, bead: &Bead, formula: Formula, quality: Option<Quality>) -> Result<Molecule, Failure> {
    let id = &bead.bead_id;
    if bead.kind != BeadType::Issue || bead.status.is_terminal() {
        let what = if bead.status.is_terminal() { bead.status.as_str() } else { bead.kind.as_str() };
        let refusal = Refusal::new(Code::Conflict, format!("Bead {id} is {what}: it cannot follow a formula"));
        return Err(refusal.hint("Formulas are for issues that have not ended.").into());
    }
    if let Some(known) = find(cx, id)?
        && known.status == MoleculeStatus::Active
        && known.current_step > 0
    {
        let name = known.formula.name.as_deref().unwrap_or("a molecule of its own");
        let refusal = Refusal::new(
            Code::Conflict,
            format!("Bead {id} follows {name} and is at step {} of {}", known.current_step + 1, known.formula.steps.len()),
        );
        return Err(refusal.hint("One formula per bead: let it finish, or sling a new bead.").into());
    }
    let molecule = Molecule {
        id: BeadId::from_random(cx.random()),
        bead_id: id.clone(),
        formula,
        current_step: 0,
        status: MoleculeStatus::Active,
        summaries: Vec::new(),
        created_at: cx.now,
        updated_at: cx.now,
    };
    let text = serde_json::to_string(&molecule.formula).unwrap_or_default();
    execute(
        cx.sql,
        "-- molecules_apply\nINSERT INTO molecules (id, bead_id, formula, current_step, status, summaries, created_at, updated_at)
         VALUES (?1, ?2, ?3, 0, 'active', '[]', ?4, ?4)
         ON CONFLICT (bead_id) DO UPDATE SET id = ?1, formula = ?3, current_step = 0, status = 'active', summaries = '[]', created_at = ?4, updated_at = ?4",
        (&molecule.id, id, text, cx.now.millis()),
    )?;
    execute(
        cx.sql,
        "-- molecules_note\nUPDATE beads SET quality = coalesce(?1, quality), updated_at = ?3,
           metadata = CASE WHEN ?2 IS NULL THEN json_remove(metadata, '$.formula') ELSE json_set(metadata, '$.formula', ?2) END WHERE bead_id = ?4",
        (quality, &molecule.formula.name, cx.now.millis(), id),
    )?;
    Ok(molecule)
}

/// `createMolecule`: the contract's steps, or a formula by name.
pub(crate) fn create_molecule(cx: &Cx<'_>, _caller: &Caller, (id, input): (BeadId, FormulaInput)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let bead = beads::require(cx, &id)?;
    let formula = match (input.steps, input.name) {
        (Some(steps), None) if input.vars.is_none() => {
            formulas::check::check_steps(&steps)?;
            Formula { name: None, steps }
        }
        (None, Some(name)) => named(cx, &name, &input.vars.unwrap_or_default())?,
        _ => return Err(refuse(Code::InvalidArgument, "formula: either steps, or name with vars")),
    };
    finish(cx, &rig, &bead, formula, None)
}

/// `applyFormula`: on work that exists, by name or by quality.
pub(crate) fn apply_formula(cx: &Cx<'_>, _caller: &Caller, (id, input): (BeadId, ApplyFormulaInput)) -> Result<Answer, Failure> {
    let rig = state::require(cx)?;
    let bead = beads::require(cx, &id)?;
    let (formula, quality) = asked(cx, input.formula.as_deref(), input.quality.as_deref(), input.vars.as_ref())?;
    let formula = formula.ok_or_else(|| refuse(Code::InvalidArgument, "formula or quality: name one of them"))?;
    finish(cx, &rig, &bead, formula, quality)
}

fn finish(cx: &Cx<'_>, rig: &RigState, bead: &Bead, formula: Formula, quality: Option<Quality>) -> Result<Answer, Failure> {
    let molecule = apply(cx, bead, formula, quality)?;
    outbox_letters::bead_changed(cx, rig, &bead.bead_id)?;
    json(&molecule)
}

/// The molecule that an agent is in, by the bead on its hook.
fn of_agent(cx: &Cx<'_>, id: &AgentId) -> Result<Option<Molecule>, Failure> {
    let Some(bead) = agents::require(cx, id)?.current_hook_bead_id else { return Ok(None) };
    Ok(find(cx, &bead)?.filter(|molecule| molecule.status == MoleculeStatus::Active))
}

/// `getMoleculeCurrentStep`; null without a hook or a molecule that is under way.
pub(crate) fn get_current_step(cx: &Cx<'_>, _caller: &Caller, (id,): (AgentId,)) -> Result<Answer, Failure> {
    json(&next_step(cx, &id)?)
}

/// The step that an agent is at, if its work has steps.
pub(in crate::objects::rig) fn next_step(cx: &Cx<'_>, id: &AgentId) -> Result<Option<CurrentStep>, Failure> {
    Ok(of_agent(cx, id)?.and_then(|molecule| {
        let step = molecule.formula.steps.get(molecule.current_step).cloned()?;
        Some(CurrentStep { molecule, step })
    }))
}

/// `advanceMoleculeStep`: the current step is through. A gate takes a summary; null without a molecule that is under way.
pub(crate) fn advance_step(cx: &Cx<'_>, caller: &Caller, (id, summary): (AgentId, String)) -> Result<Answer, Failure> {
    caller.check_speaks_for(id.as_str())?;
    if summary.chars().count() > SUMMARY_CHARS_MAX {
        return Err(refuse(Code::InvalidArgument, format!("summary must have at most {SUMMARY_CHARS_MAX} characters")));
    }
    let rig = state::require(cx)?;
    orders::heard(cx, caller, &id)?;
    let Some(mut molecule) = of_agent(cx, &id)? else { return Ok(Answer::Json("null".to_owned())) };
    if summary.trim().is_empty() && molecule.formula.steps.get(molecule.current_step).is_some_and(|step| step.gate) {
        let refusal = Refusal::new(Code::InvalidArgument, "summary must say what this step came to: it is a gate");
        return Err(refusal.hint("Do what its instructions say, then advance with what you found.").into());
    }
    molecule.current_step += 1;
    molecule.summaries.push(summary);
    save(cx, &mut molecule)?;
    outbox_letters::bead_changed(cx, &rig, &molecule.bead_id)?;
    json(&molecule)
}

fn save(cx: &Cx<'_>, molecule: &mut Molecule) -> Result<(), Fault> {
    if molecule.current_step >= molecule.formula.steps.len() {
        molecule.status = MoleculeStatus::Completed;
    }
    molecule.updated_at = cx.now;
    execute(
        cx.sql,
        "-- molecules_save\nUPDATE molecules SET current_step = ?, status = ?, summaries = ?, updated_at = ? WHERE id = ?",
        (
            molecule.current_step,
            molecule.status,
            serde_json::to_string(&molecule.summaries).unwrap_or_default(),
            molecule.updated_at.millis(),
            &molecule.id,
        ),
    )
}

/// The work on a bead is to be submitted. The last step is submitting, and through by that.
///
/// # Errors
/// `Conflict` while a gate is not through.
pub(in crate::objects::rig) fn submitted(cx: &Cx<'_>, bead: &BeadId, summary: &str) -> Result<(), Failure> {
    let Some(mut molecule) = find(cx, bead)?.filter(|molecule| molecule.status == MoleculeStatus::Active) else { return Ok(()) };
    let steps = &molecule.formula.steps;
    let gates = steps.iter().skip(molecule.current_step).filter(|step| step.gate).count();
    if gates > 0 {
        let name = molecule.formula.name.as_deref().unwrap_or("its molecule");
        let at = format!("step {} of {}", molecule.current_step + 1, steps.len());
        let refusal = Refusal::new(Code::Conflict, format!("Bead {bead} follows {name} and is at {at}: {gates} gate(s) are not through"));
        return Err(refusal.hint("Do the steps and advance the molecule with a summary of each; then submit.").into());
    }
    if molecule.current_step + 1 != steps.len() {
        return Ok(());
    }
    molecule.current_step += 1;
    molecule.summaries.push(summary.chars().take(SUMMARY_CHARS_MAX).collect());
    Ok(save(cx, &mut molecule)?)
}

/// A formula by name, built in or the town's, with its variables filled in.
///
/// # Errors
/// `NotFound` with the names there are; `InvalidArgument` for variables that are missing, unknown or too long.
fn named(cx: &Cx<'_>, name: &str, vars: &Map<String, Value>) -> Result<Formula, Failure> {
    let stored: Option<(String,)> = query_one(cx.sql, "-- formulas_of_town\nSELECT formulas FROM rig", ())?;
    formulas::resolve(stored.as_ref().map_or("{}", |(text,)| text), name, vars)
}
