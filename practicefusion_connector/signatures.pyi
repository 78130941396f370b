"""Every shipped action as a method with its signature, for editors and type checkers.

Written by scripts/generate_client.py from the action files; `methods` makes the methods at run
time. `Actions` and `PagedActions` are what `PracticeFusion` has, the others its asyncio twin's.
"""

# fmt: off
# ruff: noqa: A002, E501

from collections.abc import AsyncIterator, Callable, Iterator
from threading import Event
from typing import Any, Literal

from practicefusion_connector.methods import Code, Composite, Date, Quantity, Text
from practicefusion_connector.registry import Registry
from practicefusion_connector.result import Result

class Actions:
    registry: Registry

    def get_allergy_intolerance(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Allergy Intolerance by ID.

        Returns one allergy or intolerance: the substance, its clinical status, how critical it is
        and the reactions seen. Take the id from a search result or from a reference in another
        record.

        Args:
            id: the id of the allergy intolerance.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_allergy_intolerances(
        self,
        *,
        patient: Text | None = None,
        clinical_status: Literal["active", "inactive", "resolved"] | Code | None = None,
        code: Code | None = None,
        criticality: Literal["low", "high", "unable-to-assess"] | Code | None = None,
        type: Literal["allergy", "intolerance"] | Code | None = None,
        manifestation: Code | None = None,
        severity: Literal["mild", "moderate", "severe"] | Code | None = None,
        date: Date | None = None,
        onset: Date | None = None,
        recorder: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Allergy Intolerances.

        Finds a patient's allergies and intolerances. A record coded "no known allergy" is a
        statement, not an empty list. Label substances with code.coding display rather than
        code.text, which may carry packed details. Give the patient: without one, expect an answer
        on a system connection only. Practice Fusion documents neither date prefixes nor comma
        lists; both follow US Core 6.1.0 and FHIR R4.

        Args:
            patient: The patient whose allergies are wanted; the bare id is enough.
            clinical_status: Whether the allergy still holds: active, inactive or resolved.
            code: The substance, medicine or food, as its code or system|code; the substances
                named in reactions count too.
            criticality: How dangerous a future reaction could be: low, high or
                unable-to-assess. This is not severity, which describes a reaction that happened.
            type: Whether the body's reaction is an allergy or an intolerance; often left empty
                in the record.
            manifestation: A symptom of a reaction, such as hives, as its code or system|code.
            severity: How strong a reaction was: mild, moderate or severe.
            date: When the allergy was first recorded: a day, a moment or a range.
            onset: When a reaction began: a day, a moment or a range. This is the reaction's
                onset, not the allergy's.
            recorder: Who recorded the allergy, as Practitioner/id or another type with its id.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_care_plan(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Care Plan by ID.

        Returns one care plan: its status, period, the conditions it addresses, and the assessment
        and plan as narrative text. Most of the content is in the narrative (text.div), not in coded
        fields.

        Args:
            id: the id of the care plan.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_care_plans(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        status: Literal["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"] | Code | None = None,
        date: Date | None = None,
        condition: Text | None = None,
        encounter: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Care Plans.

        Finds a patient's care plans. The US Core care plan has category assess-plan, and its
        content is mostly narrative text. Give the patient: without one, expect an answer on a
        system connection only. Practice Fusion documents neither date prefixes nor comma lists;
        both follow US Core 6.1.0 and FHIR R4.

        Args:
            patient: The patient whose care plans are wanted; the bare id is enough.
            category: Kind of plan; assess-plan is the assessment and plan of treatment that US
                Core defines.
            status: Where the plan stands: a draft, in force, on hold, or ended.
            date: The time the plan covers: plans whose period overlaps the day, moment or range
                given.
            condition: A condition the plan addresses, as the condition's id.
            encounter: The visit during which the plan was made.
            subject: Whom the plan is about, when that may be something other than one patient;
                otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_care_team(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Care Team by ID.

        Returns one care team: its members with their roles, its status and the patient it cares
        for. Members are references; read them with the practitioner or organization actions.

        Args:
            id: the id of the care team.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_care_teams(
        self,
        *,
        patient: Text | None = None,
        status: Literal["proposed", "active", "suspended", "inactive", "entered-in-error"] | Code | None = None,
        role: Code | None = None,
        participant: Text | None = None,
        date: Date | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Care Teams.

        Finds the teams caring for a patient. Ask for status active to leave out teams that no
        longer serve. Give the patient: without one, expect an answer on a system connection only.
        Practice Fusion documents neither date prefixes nor comma lists; both follow US Core 6.1.0
        and FHIR R4.

        Args:
            patient: The patient whose care teams are wanted; the bare id is enough.
            status: Whether the team is proposed, active, suspended or no longer active.
            role: A role some member has, such as primary care provider, as its code or
                system|code. Practice Fusion does not declare it; offered because US Core 6.1.0
                names it.
            participant: A member of the team, as Practitioner/id or another type with its id.
            date: The time the team serves: teams whose period overlaps the day, moment or range
                given.
            subject: Whom the team is about, when that may be something other than one patient;
                otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_condition(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Condition by ID.

        Returns one problem, diagnosis or health concern: its code, clinical status, category and
        dates. Show code.coding display: code.text has been seen with date, status and clinician
        packed into it.

        Args:
            id: the id of the condition.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_conditions(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        clinical_status: Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved"] | Code | None = None,
        code: Code | None = None,
        encounter: Text | None = None,
        onset_date: Date | None = None,
        abatement_date: Date | None = None,
        recorded_date: Date | None = None,
        asserted_date: Date | None = None,
        severity: Code | None = None,
        stage: Code | None = None,
        evidence: Code | None = None,
        asserter: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Conditions.

        Finds a patient's problems, diagnoses and health concerns. Label conditions with code.coding
        display: code.text has been seen with date, status and clinician packed into it. Give the
        patient: without one, expect an answer on a system connection only. Practice Fusion
        documents neither date prefixes nor comma lists; both follow US Core 6.1.0 and FHIR R4.
        asserted-date and recorded-date come from US Core; Practice Fusion does not declare them.

        Args:
            patient: The patient whose conditions are wanted; the bare id is enough.
            category: Kind of record: problem-list-item, encounter-diagnosis or health-concern.
                The first two are FHIR's codes, health-concern is US Core's; without a system any of
                them is found.
            clinical_status: Whether the condition is present now: active, recurrence or
                relapse; or inactive, remission or resolved.
            code: The condition, as its code or system|code; records carry ICD-10-CM, SNOMED CT
                or both.
            encounter: The visit at which the condition was noted.
            onset_date: When the condition began: a day, a moment or a range. An onset given as
                an age or in words is not found.
            abatement_date: When the condition ended: a day, a moment or a range. An end given
                as an age or in words is not found.
            recorded_date: When the condition was first recorded: a day, a moment or a range.
                Practice Fusion does not declare it; offered because US Core 6.1.0 names it.
            asserted_date: When the condition was first asserted, which US Core keeps in an
                extension: a day, a moment or a range. Practice Fusion does not declare it; offered
                because US Core 6.1.0 names it.
            severity: How severe the condition is, as its SNOMED CT code: 24484000 severe,
                6736007 moderate, 255604002 mild.
            stage: The stage of the condition, as its code or system|code.
            evidence: A sign or symptom the condition rests on, as its code or system|code.
            asserter: Who stated the condition, as Practitioner/id or another type with its id.
            subject: Whom the condition is about, when that may be something other than one
                patient; otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_device(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Device by ID.

        Returns one device, usually an implant: its type, unique device identifier (UDI), maker, lot
        and serial number. Take the id from a search result or from a reference in another record.

        Args:
            id: the id of the device.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_devices(
        self,
        *,
        patient: Text | None = None,
        type: Code | None = None,
        status: Literal["active", "inactive", "entered-in-error", "unknown"] | Code | None = None,
        udi_di: Text | None = None,
        device_name: Text | None = None,
        manufacturer: Text | None = None,
        model: Text | None = None,
        identifier: Code | None = None,
        organization: Text | None = None,
        location: Text | None = None,
        url: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Devices.

        Finds the devices of a patient, such as implants. US Core covers implantable devices; other
        equipment appears only where the practice recorded it. Give the patient: without one, expect
        an answer on a system connection only. Practice Fusion documents neither date prefixes nor
        comma lists; both follow US Core 6.1.0 and FHIR R4.

        Args:
            patient: The patient whose devices are wanted; the bare id is enough.
            type: Kind of device, as its code or system|code.
            status: Whether the device is available for use; for an implant, inactive means that
                it is no longer in the body.
            udi_di: Device identifier part of the UDI, which names the model and not the single
                device; matches from its beginning.
            device_name: Name of the device, or of its type; matches from the beginning of the
                name.
            manufacturer: Name of the maker; matches from the beginning.
            model: The maker's model number; matches from the beginning.
            identifier: A serial number or other identifier of this device, as value or
                system|value.
            organization: The organization that owns or is responsible for the device, as its
                id.
            location: Where the device is kept, as the location's id.
            url: Network address of the device, as a full URI; must match exactly.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_diagnostic_report(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Diagnostic Report by ID.

        Returns one report of laboratory, imaging or other diagnostic work: what was done, when, by
        whom, and references to its results. Read the values with Get Observation by ID, or several
        at once with Search Observations and a list of ids.

        Args:
            id: the id of the diagnostic report.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_diagnostic_reports(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        code: Code | None = None,
        date: Date | None = None,
        status: Literal["registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        issued: Date | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        result: Text | None = None,
        specimen: Text | None = None,
        identifier: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Diagnostic Reports.

        Finds a patient's laboratory, imaging and other diagnostic reports. Use category LAB for
        laboratory reports. Give the patient: without one, expect an answer on a system connection
        only. Practice Fusion documents neither date prefixes nor comma lists; both follow US Core
        6.1.0 and FHIR R4. Practice Fusion does not declare the parameter code, which US Core 6.1.0
        requires: check that the result is really narrowed.

        Args:
            patient: The patient whose reports are wanted; the bare id is enough.
            category: Kind of report: LAB for laboratory (HL7 table 0074), or a LOINC code:
                LP29684-5 radiology, LP29708-2 cardiology, LP7839-6 pathology.
            code: Which report, usually as a LOINC code. Practice Fusion does not declare it;
                offered because US Core 6.1.0 requires it together with patient.
            date: When the specimen was taken or the examination made: a day, a moment or a
                range.
            status: How far the report has come; final, amended, corrected and appended can be
                relied on.
            issued: When this version of the report was released: a day, a moment or a range.
            encounter: The visit for which the report was made.
            performer: Who is responsible for the report, as Organization/id or another type
                with its id.
            result: An observation that the report contains, as the observation's id.
            specimen: The specimen the report is based on, as its id.
            identifier: The laboratory's or practice's own number for the report, as value or
                system|value.
            subject: Whom the report is about, when that may be something other than one
                patient; otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_document_reference(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Document Reference by ID.

        Returns one entry of the document index: what the document is, who wrote it, when, and its
        content as data or as a link. The entry may hold only the link; then the document itself
        must be fetched from content.attachment.url.

        Args:
            id: the id of the document reference.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_document_references(
        self,
        *,
        patient: Text | None = None,
        type: Code | None = None,
        category: Code | None = None,
        date: Date | None = None,
        period: Date | None = None,
        status: Literal["current", "superseded", "entered-in-error"] | Code | None = None,
        author: Text | None = None,
        encounter: Text | None = None,
        class_: Code | None = None,
        created: Date | None = None,
        description: Text | None = None,
        identifier: Code | None = None,
        custodian: Text | None = None,
        authenticator: Text | None = None,
        event: Code | None = None,
        facility: Code | None = None,
        format: Code | None = None,
        language: Code | None = None,
        location: Text | None = None,
        relation: Literal["replaces", "transforms", "signs", "appends"] | Code | None = None,
        relatesto: Text | None = None,
        relationship: Composite | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Document References.

        Finds clinical notes and other documents of a patient. Results describe the documents; each
        holds its content or a link to it. Give the patient: without one, expect an answer on a
        system connection only. Practice Fusion documents neither date prefixes nor comma lists;
        both follow US Core 6.1.0 and FHIR R4. Practice Fusion declares the older class, created and
        period; category and date come from US Core 6.1.0, which requires them.

        Args:
            patient: The patient whose documents are wanted; the bare id is enough.
            type: What the document is, usually as a LOINC code: 11488-4 consultation, 18842-5
                discharge summary, 34117-2 history and physical, 28570-0 procedure note, 11506-3
                progress note, 34133-9 summary of episode.
            category: Broad kind of document; clinical-note is US Core's. Practice Fusion
                declares the older class instead; category is offered because US Core 6.1.0 requires
                it together with patient.
            date: When the index entry was made: a day, a moment or a range. Practice Fusion
                does not declare it; offered because US Core 6.1.0 requires it with patient and
                category.
            period: When the care described took place: documents whose service period overlaps
                the day, moment or range given.
            status: Whether this is the current document; superseded ones have a newer version.
            author: Who wrote the document, as Practitioner/id or another type with its id.
            encounter: The visit the document belongs to, as Encounter/id; an EpisodeOfCare is
                possible too.
            class_: Broad kind of document under the name FHIR used before R4 renamed it
                category. Practice Fusion declares this one.
            created: When the document was created: a day, a moment or a range. The name comes
                from before FHIR R4, and Practice Fusion does not say which date it reads.
            description: Title or short description of the document; matches from the beginning.
            identifier: A number of the document, as value or system|value; both the master
                identifier and the others are searched.
            custodian: The organization that keeps the document, as its id.
            authenticator: Who attested that the document is right, as Practitioner/id or
                another type with its id.
            event: A main clinical act the document records, such as a colonoscopy, as its code
                or system|code.
            facility: Kind of facility where the patient was seen, as its code or system|code.
            format: Technical format of the content, as its code or system|code.
            language: Language of the document, as a BCP 47 tag such as en or en-US.
            location: Address where the content can be fetched, as a full URI; must match
                exactly.
            relation: How the document relates to another one; use relationship to say which
                other one.
            relatesto: Another document that this one replaces, transforms, signs or appends, as
                its id.
            relationship: The other document and the relation in one value, joined by $:
                DocumentReference/id$replaces. One value only, no list.
            subject: Whom the document is about, when that may be something other than one
                patient; otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_encounter(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Encounter by ID.

        Returns one visit: its class, type, period, participants, reasons and diagnoses. Class and
        type may be "unknown" and the period may be missing, so check before you rely on them.

        Args:
            id: the id of the encounter.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_encounters(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        status: Literal["planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        class_: Code | None = None,
        type: Code | None = None,
        identifier: Code | None = None,
        practitioner: Text | None = None,
        participant: Text | None = None,
        participant_type: Code | None = None,
        diagnosis: Text | None = None,
        location: Text | None = None,
        location_period: Date | None = None,
        length: Quantity | None = None,
        discharge_disposition: Code | None = None,
        appointment: Text | None = None,
        episodeofcare: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Encounters.

        Finds a patient's visits. Live records have been seen with class "unknown" and without a
        period, which no date filter finds. Give the patient: without one, expect an answer on a
        system connection only. Practice Fusion documents neither date prefixes nor comma lists;
        both follow US Core 6.1.0 and FHIR R4. discharge-disposition comes from US Core; Practice
        Fusion does not declare it. Sorting by -date is accepted, its effect unproven.

        Args:
            patient: The patient whose visits are wanted; the bare id is enough.
            date: When the visit took place: visits whose period overlaps the day, moment or
                range given. Visits without a period are not found.
            status: Where the visit stands, from planned to finished or cancelled.
            class_: Setting of the visit: AMB in the office, VR virtual, HH at home, EMER
                emergency, IMP inpatient. Live records have been seen with unknown.
            type: Specific kind of visit, as its code or system|code, often CPT or SNOMED CT.
            identifier: The practice's own number for the visit, as value or system|value.
            practitioner: A practitioner who took part, as the practitioner's id.
            participant: Anyone who took part besides the patient, as Practitioner/id or another
                type with its id; practitioner is simpler.
            participant_type: The part someone had in the visit: PPRF primary performer, SPRF
                secondary performer, ATND attender, REF referrer and others.
            diagnosis: A diagnosis or procedure of the visit, as Condition/id or Procedure/id.
            location: Where the visit took place, as the location's id.
            location_period: When the patient was at a place during the visit: a day, a moment
                or a range. Practice Fusion spells it with an underscore where FHIR R4 has
                location-period.
            length: How long the visit lasted without leave, as number|system|unit in UCUM
                units; a bare number leaves the unit open.
            discharge_disposition: Where the patient went after discharge, as its code or
                system|code; US hospitals often use NUBC codes such as 01. Practice Fusion does not
                declare it; offered because US Core 6.1.0 names it.
            appointment: The appointment that led to the visit, as its id.
            episodeofcare: The episode of care the visit belongs to, as its id. Practice Fusion
                uses the name from before FHIR R4, which has episode-of-care.
            subject: Whom the visit is about, when that may be something other than one patient;
                otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_goal(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Goal by ID.

        Returns one goal: what is to be reached, by when, and where it stands. Take the id from a
        search result or from a care plan.

        Args:
            id: the id of the goal.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_goals(
        self,
        *,
        patient: Text | None = None,
        lifecycle_status: Literal["proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "entered-in-error", "rejected"] | Code | None = None,
        target_date: Date | None = None,
        start_date: Date | None = None,
        category: Code | None = None,
        description: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Goals.

        Finds what a patient and the care team want to reach. Give the patient: without one, expect
        an answer on a system connection only. Practice Fusion documents neither date prefixes nor
        comma lists; both follow US Core 6.1.0 and FHIR R4. Practice Fusion does not declare
        lifecycle-status and description; they come from US Core 6.1.0, so check that the result is
        really narrowed.

        Args:
            patient: The patient whose goals are wanted; the bare id is enough.
            lifecycle_status: Where the goal stands, from proposed to completed or cancelled.
                Practice Fusion does not declare it; offered because US Core 6.1.0 names it.
            target_date: When the goal should be reached: a day or a range. A due time given as
                a duration is not found.
            start_date: When work toward the goal begins: a day or a range. A start given as an
                event is not found.
            category: Kind of goal, such as dietary or behavioral.
            description: The goal itself, as its code or system|code; goals written as text only
                are not found. Practice Fusion does not declare it; offered because US Core 6.1.0
                names it.
            subject: Whom the goal is about, when that may be something other than one patient;
                otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_immunization(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Immunization by ID.

        Returns one immunization: the vaccine, the day, the lot, who gave it, or why it was not
        given. Check status: not-done records are refusals and deferrals.

        Args:
            id: the id of the immunization.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_immunizations(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        status: Literal["completed", "entered-in-error", "not-done"] | Code | None = None,
        vaccine_code: Code | None = None,
        lot_number: Text | None = None,
        manufacturer: Text | None = None,
        performer: Text | None = None,
        location: Text | None = None,
        reaction: Text | None = None,
        reaction_date: Date | None = None,
        identifier: Code | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Immunizations.

        Finds a patient's vaccinations. Ask for status completed to leave out refusals and mistakes.
        Give the patient: without one, expect an answer on a system connection only. Practice Fusion
        documents neither date prefixes nor comma lists; both follow US Core 6.1.0 and FHIR R4.

        Args:
            patient: The patient whose immunizations are wanted; the bare id is enough.
            date: When the vaccine was given: a day, a moment or a range. A time given in words
                is not found.
            status: Whether the vaccine was given (completed), was not given (not-done), or the
                entry is a mistake.
            vaccine_code: The vaccine, usually as a CVX code; a record may carry an NDC code
                beside it.
            lot_number: Lot number of the vaccine; matches from the beginning.
            manufacturer: The maker of the vaccine, as the organization's id.
            performer: Who gave or ordered the vaccine, as Practitioner/id or another type with
                its id.
            location: Where the vaccine was given, as the location's id.
            reaction: An observation of a reaction to the vaccine, as the observation's id.
            reaction_date: When a reaction began: a day, a moment or a range.
            identifier: A number of the vaccination record, as value or system|value.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_medication_request(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Medication Request by ID.

        Returns one prescription or other medication order: the medicine, dose, status, who asked
        for it and when. Practice Fusion puts the medicine into the record itself
        (medicationCodeableConcept).

        Args:
            id: the id of the medication request.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_medication_requests(
        self,
        *,
        patient: Text | None = None,
        intent: Literal["proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"] | Code | None = None,
        status: Literal["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"] | Code | None = None,
        authoredon: Date | None = None,
        encounter: Text | None = None,
        code: Code | None = None,
        requester: Text | None = None,
        date: Date | None = None,
        medication: Text | None = None,
        identifier: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Medication Requests.

        Finds a patient's prescriptions and other medication orders. A live server answered patient
        alone; US Core 6.1.0 requires patient with intent. Give the patient: without one, expect an
        answer on a system connection only. Practice Fusion documents neither date prefixes nor
        comma lists; both follow US Core 6.1.0 and FHIR R4. requester is a plain FHIR R4 parameter
        declared neither by Practice Fusion nor by US Core.

        Args:
            patient: The patient whose medication requests are wanted; the bare id is enough.
            intent: What the request is: order for a prescription, plan for a medicine reported
                as taken, and others.
            status: Where the request stands; active is the current medication list.
            authoredon: When the medicine was prescribed: a day, a moment or a range.
            encounter: The visit at which the medicine was prescribed.
            code: The medicine, usually as an RxNorm code, where it is part of the record, as it
                is at Practice Fusion.
            requester: Who prescribed, as Practitioner/id or another type with its id. FHIR R4
                defines it, Practice Fusion does not declare it: check that the result is really
                narrowed.
            date: A day or moment on which a dose is to be given. For the day of the
                prescription use authoredon.
            medication: The medicine as the id of a Medication record. Practice Fusion keeps
                medicines inside the request, so expect no match; use code.
            identifier: The prescription's own number, as value or system|value.
            subject: Whom the request is about, when that may be something other than one
                patient; otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_observation(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Observation by ID.

        Returns one measurement or finding: a vital sign, a laboratory value, a survey answer, the
        smoking status. Panels and blood pressure carry their values in component or hasMember, not
        in value.

        Args:
            id: the id of the observation.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_observations(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        code: Code | None = None,
        date: Date | None = None,
        status: Literal["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        value_quantity: Quantity | None = None,
        value_concept: Code | None = None,
        value_string: Text | None = None,
        value_date: Date | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        specimen: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Observations.

        Finds vital signs, laboratory values, survey answers, smoking status and other measurements
        of a patient. Give a category or a code: a patient may have thousands. Give the patient:
        without one, expect an answer on a system connection only. Practice Fusion documents neither
        date prefixes nor comma lists; both follow US Core 6.1.0 and FHIR R4.

        Args:
            patient: The patient whose observations are wanted; the bare id is enough.
            category: Kind of observation. US Core adds its own codes, such as
                functional-status, disability-status, cognitive-status and sdoh, in the system
                http://hl7.org/fhir/us/core/CodeSystem/us-core-category.
            code: What was observed, usually as a LOINC code: 85354-9 blood pressure, 8867-4
                heart rate, 29463-7 weight, 72166-2 smoking status.
            date: When it was observed: a day, a moment or a range.
            status: How far the result has come; final, amended and corrected can be relied on.
            value_quantity: The measured number, as number|system|unit in UCUM units; a bare
                number leaves the unit open. Blood pressure is not found this way: its numbers are
                components.
            value_concept: A coded answer, such as never smoked, as its code or system|code.
            value_string: A result given as text, or the text of a coded answer; matches from
                the beginning.
            value_date: A result that is itself a date or a period: a day, a moment or a range.
            encounter: The visit at which it was observed.
            performer: Who observed or is responsible, as Practitioner/id or another type with
                its id.
            specimen: The specimen that was examined, as its id.
            subject: Whom the observation is about, when that may be something other than one
                patient; otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_organization(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Organization by ID.

        Returns one organization: a practice, laboratory, payer or maker, with identifiers, address
        and contact details. Use it to resolve a reference such as a performer or manufacturer.

        Args:
            id: the id of the organization.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_organizations(
        self,
        *,
        name: Text | None = None,
        identifier: Code | None = None,
        type: Code | None = None,
        active: Literal["true", "false"] | Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_postalcode: Text | None = None,
        partof: Text | None = None,
        endpoint: Text | None = None,
        phonetic: Text | None = None,
        coverage_area: Text | None = None,
        period: Date | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Organizations.

        Finds organizations by name, address or identifier, or all of them for a directory sync.
        Practice Fusion documents neither date prefixes nor comma lists; both follow FHIR R4. The
        parameters coverage-area and period are Practice Fusion's own.

        Args:
            name: Name or alias of the organization; matches from the beginning, whatever the
                case.
            identifier: NPI or another identifier, as value or system|value; the NPI's system is
                http://hl7.org/fhir/sid/us-npi.
            type: Kind of organization: prov for a provider, pay for a payer, ins for an
                insurer, and others.
            active: Whether the organization's record is in use. Records that do not say are
                found by neither value.
            address: Any part of the address: street, city, state, postal code or country;
                matches from the beginning of a part.
            address_city: City; matches from the beginning.
            address_state: State, usually as its two letters.
            address_postalcode: Postal code; matches from the beginning, so five digits find the
                longer form too.
            partof: The organization this one belongs to, as its id.
            endpoint: A technical endpoint of the organization, as its id.
            phonetic: A name that sounds like this; which sound rule applies is the server's
                choice.
            coverage_area: The area the organization serves, as a location's id. Practice Fusion
                declares it, FHIR R4 does not define it for organizations; try it before you rely on
                it.
            period: A day, a moment or a range. Practice Fusion declares it, FHIR R4 does not
                define it for organizations, and which period it reads is undocumented; try it
                before you rely on it.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_patient(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Patient by ID.

        Returns one patient's demographics: names, birth date, sex, address, contact details,
        identifiers, race, ethnicity and language. Take the id from a search or from a reference in
        another record.

        Args:
            id: the id of the patient.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_patients(
        self,
        *,
        name: Text | None = None,
        family: Text | None = None,
        given: Text | None = None,
        birthdate: Date | None = None,
        gender: Literal["male", "female", "other", "unknown"] | Code | None = None,
        identifier: Code | None = None,
        telecom: Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_country: Text | None = None,
        active: Literal["true", "false"] | Code | None = None,
        deceased: Literal["true", "false"] | Code | None = None,
        death_date: Date | None = None,
        language: Code | None = None,
        phonetic: Text | None = None,
        link: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Patients.

        Finds patients by name, birth date, identifier or contact details, to match a person known
        to another system or to build a list. Combine family, given and birthdate to identify one
        person. Practice Fusion has no postal code, email or phone parameter; use telecom, which is
        a literal text match. Practice Fusion documents neither date prefixes nor comma lists; both
        follow FHIR R4; US Core 6.1.0 leaves prefixes on these dates optional.

        Args:
            name: Any part of the name: family, given, prefix or suffix; matches from the
                beginning of a part, whatever the case.
            family: Family name; matches from the beginning, whatever the case.
            given: First or middle name; matches from the beginning, whatever the case.
            birthdate: Date of birth: a day, a month, a year or a range.
            gender: Administrative gender.
            identifier: Medical record number or another identifier, as value or system|value.
                The system of a Practice Fusion record number is
                https://practicefusion-prod.medicasoft.us/PF; take the value as it stands, since
                more than one style exists.
            telecom: Phone number or email address. Practice Fusion compares it letter by letter
                with the stored text, whose formats vary: (716) 555-0142 is found where 7165550142
                and 716-555-0142 are not, so try several spellings.
            address: Any part of the address: street, city, state, postal code or country;
                matches from the beginning of a part.
            address_city: City; matches from the beginning.
            address_state: State, usually as its two letters.
            address_country: Country, as the practice wrote it.
            active: Whether the practice still keeps the patient's record in use.
            deceased: Whether the patient has died: true finds the deceased, false the living.
            death_date: When the patient died: a day, a month, a year or a range. Patients
                marked deceased without a date are not found.
            language: A language the patient communicates in, as a BCP 47 tag such as en or es.
            phonetic: A part of the name that sounds like this; which sound rule applies is the
                server's choice.
            link: Another record of the same person, as Patient/id or RelatedPerson/id.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_practitioner(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Practitioner by ID.

        Returns one clinician or staff member: name, NPI and other identifiers, contact details,
        qualifications. Use it to resolve a reference such as an author, performer or participant.

        Args:
            id: the id of the practitioner.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_practitioners(
        self,
        *,
        name: Text | None = None,
        family: Text | None = None,
        given: Text | None = None,
        identifier: Code | None = None,
        active: Literal["true", "false"] | Code | None = None,
        gender: Literal["male", "female", "other", "unknown"] | Code | None = None,
        telecom: Code | None = None,
        communication: Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_postalcode: Text | None = None,
        phonetic: Text | None = None,
        period: Date | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Practitioners.

        Finds clinicians and staff of the practice, by name or NPI, or all of them for a directory
        sync. Practice Fusion documents neither date prefixes nor comma lists; both follow FHIR R4.
        The parameter period is Practice Fusion's own.

        Args:
            name: Any part of the name: family, given, prefix or suffix; matches from the
                beginning of a part.
            family: Family name; matches from the beginning, whatever the case.
            given: First or middle name; matches from the beginning, whatever the case.
            identifier: NPI or another identifier, as value or system|value; the NPI's system is
                http://hl7.org/fhir/sid/us-npi.
            active: Whether the practitioner's record is in use. Records that do not say are
                found by neither value.
            gender: Administrative gender.
            telecom: Phone number or email address. As for patients, expect it to be compared
                letter by letter with the stored text, whose formats vary: (716) 555-0142 is found
                where 7165550142 and 716-555-0142 are not, so try several spellings.
            communication: A language the practitioner can use with patients, as a BCP 47 tag
                such as en or es.
            address: Any part of the address: street, city, state, postal code or country;
                matches from the beginning of a part.
            address_city: City; matches from the beginning.
            address_state: State, usually as its two letters.
            address_postalcode: Postal code; matches from the beginning, so five digits find the
                longer form too.
            phonetic: A part of the name that sounds like this; which sound rule applies is the
                server's choice.
            period: A day, a moment or a range. Practice Fusion declares it, FHIR R4 does not
                define it for practitioners, and which period it reads is undocumented; try it
                before you rely on it.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_procedure(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Procedure by ID.

        Returns one procedure: what was done, when, by whom and why. Check status: not-done records
        say that something was not carried out.

        Args:
            id: the id of the procedure.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_procedures(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        code: Code | None = None,
        status: Literal["preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"] | Code | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        context: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Procedures.

        Finds what was done for a patient: operations, examinations, counseling. Label procedures
        with code.coding display rather than code.text, which may carry packed details. Give the
        patient: without one, expect an answer on a system connection only. Practice Fusion
        documents neither date prefixes nor comma lists; both follow US Core 6.1.0 and FHIR R4.

        Args:
            patient: The patient whose procedures are wanted; the bare id is enough.
            date: When the procedure took place: procedures whose time overlaps the day, moment
                or range given. A time given as an age or in words is not found.
            code: What was done, as its code or system|code, usually SNOMED CT or CPT.
            status: Where the procedure stands; completed is what was really done.
            encounter: The visit at which the procedure was done.
            performer: Who carried it out, as Practitioner/id or another type with its id.
            context: The visit or episode of care of the procedure, as Encounter/id. The name
                comes from before FHIR R4; encounter is the usual one.
            subject: Whom the procedure is about, when that may be something other than one
                patient; otherwise use patient.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            revinclude: Provenance:target adds the provenance of each record found. US Core
                6.1.0 requires it; Practice Fusion declares it for care plans only and may ignore
                it, so do not count on the extra records.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def get_provenance(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Get Provenance by ID.

        Returns one provenance record: which records it speaks of, who made or sent them, and when.
        Take the id from a search that asked for revinclude Provenance:target.

        Args:
            id: the id of the provenance.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """

    def search_provenances(
        self,
        *,
        patient: Text | None = None,
        target: Text | None = None,
        recorded: Date | None = None,
        when: Date | None = None,
        entity: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Result:
        """Search Provenances.

        Finds where records came from: who made or sent them, and when. Practice Fusion declares
        this search; US Core 6.1.0 leaves it optional and names no parameters, so it is an extension
        beyond the standard set. For one patient's records ask by target, or use revinclude in the
        search for the records themselves. Practice Fusion documents neither date prefixes nor comma
        lists; both follow FHIR R4.

        Args:
            patient: The patient the provenance speaks of; the bare id is enough. By FHIR R4's
                rule only provenance of the patient record itself is found; for other records use
                target.
            target: The record whose origin is wanted, as Type/id.
            recorded: When the provenance was written down: a day, a moment or a range.
            when: When the activity itself happened: a day, a moment or a range. An activity
                given as a period is not found.
            entity: A record the target was made from, such as a received document, as Type/id.
            id: Server id of a record. Give several to fetch records whose ids you know; with
                other conditions, only those that meet them come back.
            last_updated: When the server last changed the record: a day, a moment with time
                zone, or a range. Give ge with the time of your last run to fetch only what has
                changed since. Practice Fusion declares it for every search and documents no date
                prefixes; those of FHIR R4 are offered.
            page_size: How many records a page may hold; the number of pages is not limited by
                it. Practice Fusion does not declare it, but a live server honours it, and 200 is in
                use; default and maximum are undocumented.
            sort: Order of the records: parameter names of this search, separated by commas,
                each with a leading minus for descending, such as -last_updated. Practice Fusion
                does not declare it; a live server accepts it and echoes it, but whether it sorts is
                unproven, so sort again where order matters.
            cursor: The next_cursor of an earlier result, to go on from there.
            max_items: Follow pages until this many resources are there; left out, one page is
                read.
            max_output_bytes: Size in bytes that the result as JSON may have at most.
            view: full gives FHIR resources, summary flat rows that need no knowledge of FHIR.
            validation: What a resource that breaks FHIR R4's rules leads to: nothing, a
                warning, or an error (strict).
        """


class PagedActions:
    def __init__(self, registry: Registry, pages: Callable[..., Any]) -> None: ...

    def search_allergy_intolerances(
        self,
        *,
        patient: Text | None = None,
        clinical_status: Literal["active", "inactive", "resolved"] | Code | None = None,
        code: Code | None = None,
        criticality: Literal["low", "high", "unable-to-assess"] | Code | None = None,
        type: Literal["allergy", "intolerance"] | Code | None = None,
        manifestation: Code | None = None,
        severity: Literal["mild", "moderate", "severe"] | Code | None = None,
        date: Date | None = None,
        onset: Date | None = None,
        recorder: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_allergy_intolerances`; `PracticeFusion.search_allergy_intolerances` explains the inputs."""

    def search_care_plans(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        status: Literal["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"] | Code | None = None,
        date: Date | None = None,
        condition: Text | None = None,
        encounter: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_care_plans`; `PracticeFusion.search_care_plans` explains the inputs."""

    def search_care_teams(
        self,
        *,
        patient: Text | None = None,
        status: Literal["proposed", "active", "suspended", "inactive", "entered-in-error"] | Code | None = None,
        role: Code | None = None,
        participant: Text | None = None,
        date: Date | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_care_teams`; `PracticeFusion.search_care_teams` explains the inputs."""

    def search_conditions(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        clinical_status: Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved"] | Code | None = None,
        code: Code | None = None,
        encounter: Text | None = None,
        onset_date: Date | None = None,
        abatement_date: Date | None = None,
        recorded_date: Date | None = None,
        asserted_date: Date | None = None,
        severity: Code | None = None,
        stage: Code | None = None,
        evidence: Code | None = None,
        asserter: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_conditions`; `PracticeFusion.search_conditions` explains the inputs."""

    def search_devices(
        self,
        *,
        patient: Text | None = None,
        type: Code | None = None,
        status: Literal["active", "inactive", "entered-in-error", "unknown"] | Code | None = None,
        udi_di: Text | None = None,
        device_name: Text | None = None,
        manufacturer: Text | None = None,
        model: Text | None = None,
        identifier: Code | None = None,
        organization: Text | None = None,
        location: Text | None = None,
        url: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_devices`; `PracticeFusion.search_devices` explains the inputs."""

    def search_diagnostic_reports(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        code: Code | None = None,
        date: Date | None = None,
        status: Literal["registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        issued: Date | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        result: Text | None = None,
        specimen: Text | None = None,
        identifier: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_diagnostic_reports`; `PracticeFusion.search_diagnostic_reports` explains the inputs."""

    def search_document_references(
        self,
        *,
        patient: Text | None = None,
        type: Code | None = None,
        category: Code | None = None,
        date: Date | None = None,
        period: Date | None = None,
        status: Literal["current", "superseded", "entered-in-error"] | Code | None = None,
        author: Text | None = None,
        encounter: Text | None = None,
        class_: Code | None = None,
        created: Date | None = None,
        description: Text | None = None,
        identifier: Code | None = None,
        custodian: Text | None = None,
        authenticator: Text | None = None,
        event: Code | None = None,
        facility: Code | None = None,
        format: Code | None = None,
        language: Code | None = None,
        location: Text | None = None,
        relation: Literal["replaces", "transforms", "signs", "appends"] | Code | None = None,
        relatesto: Text | None = None,
        relationship: Composite | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_document_references`; `PracticeFusion.search_document_references` explains the inputs."""

    def search_encounters(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        status: Literal["planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        class_: Code | None = None,
        type: Code | None = None,
        identifier: Code | None = None,
        practitioner: Text | None = None,
        participant: Text | None = None,
        participant_type: Code | None = None,
        diagnosis: Text | None = None,
        location: Text | None = None,
        location_period: Date | None = None,
        length: Quantity | None = None,
        discharge_disposition: Code | None = None,
        appointment: Text | None = None,
        episodeofcare: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_encounters`; `PracticeFusion.search_encounters` explains the inputs."""

    def search_goals(
        self,
        *,
        patient: Text | None = None,
        lifecycle_status: Literal["proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "entered-in-error", "rejected"] | Code | None = None,
        target_date: Date | None = None,
        start_date: Date | None = None,
        category: Code | None = None,
        description: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_goals`; `PracticeFusion.search_goals` explains the inputs."""

    def search_immunizations(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        status: Literal["completed", "entered-in-error", "not-done"] | Code | None = None,
        vaccine_code: Code | None = None,
        lot_number: Text | None = None,
        manufacturer: Text | None = None,
        performer: Text | None = None,
        location: Text | None = None,
        reaction: Text | None = None,
        reaction_date: Date | None = None,
        identifier: Code | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_immunizations`; `PracticeFusion.search_immunizations` explains the inputs."""

    def search_medication_requests(
        self,
        *,
        patient: Text | None = None,
        intent: Literal["proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"] | Code | None = None,
        status: Literal["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"] | Code | None = None,
        authoredon: Date | None = None,
        encounter: Text | None = None,
        code: Code | None = None,
        requester: Text | None = None,
        date: Date | None = None,
        medication: Text | None = None,
        identifier: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_medication_requests`; `PracticeFusion.search_medication_requests` explains the inputs."""

    def search_observations(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        code: Code | None = None,
        date: Date | None = None,
        status: Literal["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        value_quantity: Quantity | None = None,
        value_concept: Code | None = None,
        value_string: Text | None = None,
        value_date: Date | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        specimen: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_observations`; `PracticeFusion.search_observations` explains the inputs."""

    def search_organizations(
        self,
        *,
        name: Text | None = None,
        identifier: Code | None = None,
        type: Code | None = None,
        active: Literal["true", "false"] | Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_postalcode: Text | None = None,
        partof: Text | None = None,
        endpoint: Text | None = None,
        phonetic: Text | None = None,
        coverage_area: Text | None = None,
        period: Date | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_organizations`; `PracticeFusion.search_organizations` explains the inputs."""

    def search_patients(
        self,
        *,
        name: Text | None = None,
        family: Text | None = None,
        given: Text | None = None,
        birthdate: Date | None = None,
        gender: Literal["male", "female", "other", "unknown"] | Code | None = None,
        identifier: Code | None = None,
        telecom: Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_country: Text | None = None,
        active: Literal["true", "false"] | Code | None = None,
        deceased: Literal["true", "false"] | Code | None = None,
        death_date: Date | None = None,
        language: Code | None = None,
        phonetic: Text | None = None,
        link: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_patients`; `PracticeFusion.search_patients` explains the inputs."""

    def search_practitioners(
        self,
        *,
        name: Text | None = None,
        family: Text | None = None,
        given: Text | None = None,
        identifier: Code | None = None,
        active: Literal["true", "false"] | Code | None = None,
        gender: Literal["male", "female", "other", "unknown"] | Code | None = None,
        telecom: Code | None = None,
        communication: Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_postalcode: Text | None = None,
        phonetic: Text | None = None,
        period: Date | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_practitioners`; `PracticeFusion.search_practitioners` explains the inputs."""

    def search_procedures(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        code: Code | None = None,
        status: Literal["preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"] | Code | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        context: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_procedures`; `PracticeFusion.search_procedures` explains the inputs."""

    def search_provenances(
        self,
        *,
        patient: Text | None = None,
        target: Text | None = None,
        recorded: Date | None = None,
        when: Date | None = None,
        entity: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
        cancel: Event | None = None,
    ) -> Iterator[Result]:
        """Yield the pages of `search_provenances`; `PracticeFusion.search_provenances` explains the inputs."""


class AsyncActions:
    registry: Registry

    async def get_allergy_intolerance(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_allergy_intolerance`; `PracticeFusion.get_allergy_intolerance` explains the inputs."""

    async def search_allergy_intolerances(
        self,
        *,
        patient: Text | None = None,
        clinical_status: Literal["active", "inactive", "resolved"] | Code | None = None,
        code: Code | None = None,
        criticality: Literal["low", "high", "unable-to-assess"] | Code | None = None,
        type: Literal["allergy", "intolerance"] | Code | None = None,
        manifestation: Code | None = None,
        severity: Literal["mild", "moderate", "severe"] | Code | None = None,
        date: Date | None = None,
        onset: Date | None = None,
        recorder: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_allergy_intolerances`; `PracticeFusion.search_allergy_intolerances` explains the inputs."""

    async def get_care_plan(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_care_plan`; `PracticeFusion.get_care_plan` explains the inputs."""

    async def search_care_plans(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        status: Literal["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"] | Code | None = None,
        date: Date | None = None,
        condition: Text | None = None,
        encounter: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_care_plans`; `PracticeFusion.search_care_plans` explains the inputs."""

    async def get_care_team(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_care_team`; `PracticeFusion.get_care_team` explains the inputs."""

    async def search_care_teams(
        self,
        *,
        patient: Text | None = None,
        status: Literal["proposed", "active", "suspended", "inactive", "entered-in-error"] | Code | None = None,
        role: Code | None = None,
        participant: Text | None = None,
        date: Date | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_care_teams`; `PracticeFusion.search_care_teams` explains the inputs."""

    async def get_condition(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_condition`; `PracticeFusion.get_condition` explains the inputs."""

    async def search_conditions(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        clinical_status: Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved"] | Code | None = None,
        code: Code | None = None,
        encounter: Text | None = None,
        onset_date: Date | None = None,
        abatement_date: Date | None = None,
        recorded_date: Date | None = None,
        asserted_date: Date | None = None,
        severity: Code | None = None,
        stage: Code | None = None,
        evidence: Code | None = None,
        asserter: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_conditions`; `PracticeFusion.search_conditions` explains the inputs."""

    async def get_device(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_device`; `PracticeFusion.get_device` explains the inputs."""

    async def search_devices(
        self,
        *,
        patient: Text | None = None,
        type: Code | None = None,
        status: Literal["active", "inactive", "entered-in-error", "unknown"] | Code | None = None,
        udi_di: Text | None = None,
        device_name: Text | None = None,
        manufacturer: Text | None = None,
        model: Text | None = None,
        identifier: Code | None = None,
        organization: Text | None = None,
        location: Text | None = None,
        url: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_devices`; `PracticeFusion.search_devices` explains the inputs."""

    async def get_diagnostic_report(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_diagnostic_report`; `PracticeFusion.get_diagnostic_report` explains the inputs."""

    async def search_diagnostic_reports(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        code: Code | None = None,
        date: Date | None = None,
        status: Literal["registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        issued: Date | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        result: Text | None = None,
        specimen: Text | None = None,
        identifier: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_diagnostic_reports`; `PracticeFusion.search_diagnostic_reports` explains the inputs."""

    async def get_document_reference(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_document_reference`; `PracticeFusion.get_document_reference` explains the inputs."""

    async def search_document_references(
        self,
        *,
        patient: Text | None = None,
        type: Code | None = None,
        category: Code | None = None,
        date: Date | None = None,
        period: Date | None = None,
        status: Literal["current", "superseded", "entered-in-error"] | Code | None = None,
        author: Text | None = None,
        encounter: Text | None = None,
        class_: Code | None = None,
        created: Date | None = None,
        description: Text | None = None,
        identifier: Code | None = None,
        custodian: Text | None = None,
        authenticator: Text | None = None,
        event: Code | None = None,
        facility: Code | None = None,
        format: Code | None = None,
        language: Code | None = None,
        location: Text | None = None,
        relation: Literal["replaces", "transforms", "signs", "appends"] | Code | None = None,
        relatesto: Text | None = None,
        relationship: Composite | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_document_references`; `PracticeFusion.search_document_references` explains the inputs."""

    async def get_encounter(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_encounter`; `PracticeFusion.get_encounter` explains the inputs."""

    async def search_encounters(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        status: Literal["planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        class_: Code | None = None,
        type: Code | None = None,
        identifier: Code | None = None,
        practitioner: Text | None = None,
        participant: Text | None = None,
        participant_type: Code | None = None,
        diagnosis: Text | None = None,
        location: Text | None = None,
        location_period: Date | None = None,
        length: Quantity | None = None,
        discharge_disposition: Code | None = None,
        appointment: Text | None = None,
        episodeofcare: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_encounters`; `PracticeFusion.search_encounters` explains the inputs."""

    async def get_goal(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_goal`; `PracticeFusion.get_goal` explains the inputs."""

    async def search_goals(
        self,
        *,
        patient: Text | None = None,
        lifecycle_status: Literal["proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "entered-in-error", "rejected"] | Code | None = None,
        target_date: Date | None = None,
        start_date: Date | None = None,
        category: Code | None = None,
        description: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_goals`; `PracticeFusion.search_goals` explains the inputs."""

    async def get_immunization(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_immunization`; `PracticeFusion.get_immunization` explains the inputs."""

    async def search_immunizations(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        status: Literal["completed", "entered-in-error", "not-done"] | Code | None = None,
        vaccine_code: Code | None = None,
        lot_number: Text | None = None,
        manufacturer: Text | None = None,
        performer: Text | None = None,
        location: Text | None = None,
        reaction: Text | None = None,
        reaction_date: Date | None = None,
        identifier: Code | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_immunizations`; `PracticeFusion.search_immunizations` explains the inputs."""

    async def get_medication_request(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_medication_request`; `PracticeFusion.get_medication_request` explains the inputs."""

    async def search_medication_requests(
        self,
        *,
        patient: Text | None = None,
        intent: Literal["proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"] | Code | None = None,
        status: Literal["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"] | Code | None = None,
        authoredon: Date | None = None,
        encounter: Text | None = None,
        code: Code | None = None,
        requester: Text | None = None,
        date: Date | None = None,
        medication: Text | None = None,
        identifier: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_medication_requests`; `PracticeFusion.search_medication_requests` explains the inputs."""

    async def get_observation(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_observation`; `PracticeFusion.get_observation` explains the inputs."""

    async def search_observations(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        code: Code | None = None,
        date: Date | None = None,
        status: Literal["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        value_quantity: Quantity | None = None,
        value_concept: Code | None = None,
        value_string: Text | None = None,
        value_date: Date | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        specimen: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_observations`; `PracticeFusion.search_observations` explains the inputs."""

    async def get_organization(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_organization`; `PracticeFusion.get_organization` explains the inputs."""

    async def search_organizations(
        self,
        *,
        name: Text | None = None,
        identifier: Code | None = None,
        type: Code | None = None,
        active: Literal["true", "false"] | Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_postalcode: Text | None = None,
        partof: Text | None = None,
        endpoint: Text | None = None,
        phonetic: Text | None = None,
        coverage_area: Text | None = None,
        period: Date | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_organizations`; `PracticeFusion.search_organizations` explains the inputs."""

    async def get_patient(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_patient`; `PracticeFusion.get_patient` explains the inputs."""

    async def search_patients(
        self,
        *,
        name: Text | None = None,
        family: Text | None = None,
        given: Text | None = None,
        birthdate: Date | None = None,
        gender: Literal["male", "female", "other", "unknown"] | Code | None = None,
        identifier: Code | None = None,
        telecom: Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_country: Text | None = None,
        active: Literal["true", "false"] | Code | None = None,
        deceased: Literal["true", "false"] | Code | None = None,
        death_date: Date | None = None,
        language: Code | None = None,
        phonetic: Text | None = None,
        link: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_patients`; `PracticeFusion.search_patients` explains the inputs."""

    async def get_practitioner(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_practitioner`; `PracticeFusion.get_practitioner` explains the inputs."""

    async def search_practitioners(
        self,
        *,
        name: Text | None = None,
        family: Text | None = None,
        given: Text | None = None,
        identifier: Code | None = None,
        active: Literal["true", "false"] | Code | None = None,
        gender: Literal["male", "female", "other", "unknown"] | Code | None = None,
        telecom: Code | None = None,
        communication: Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_postalcode: Text | None = None,
        phonetic: Text | None = None,
        period: Date | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_practitioners`; `PracticeFusion.search_practitioners` explains the inputs."""

    async def get_procedure(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_procedure`; `PracticeFusion.get_procedure` explains the inputs."""

    async def search_procedures(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        code: Code | None = None,
        status: Literal["preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"] | Code | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        context: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_procedures`; `PracticeFusion.search_procedures` explains the inputs."""

    async def get_provenance(
        self,
        id: str,
        *,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `get_provenance`; `PracticeFusion.get_provenance` explains the inputs."""

    async def search_provenances(
        self,
        *,
        patient: Text | None = None,
        target: Text | None = None,
        recorded: Date | None = None,
        when: Date | None = None,
        entity: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> Result:
        """Run `search_provenances`; `PracticeFusion.search_provenances` explains the inputs."""


class AsyncPagedActions:
    def __init__(self, registry: Registry, pages: Callable[..., Any]) -> None: ...

    def search_allergy_intolerances(
        self,
        *,
        patient: Text | None = None,
        clinical_status: Literal["active", "inactive", "resolved"] | Code | None = None,
        code: Code | None = None,
        criticality: Literal["low", "high", "unable-to-assess"] | Code | None = None,
        type: Literal["allergy", "intolerance"] | Code | None = None,
        manifestation: Code | None = None,
        severity: Literal["mild", "moderate", "severe"] | Code | None = None,
        date: Date | None = None,
        onset: Date | None = None,
        recorder: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_allergy_intolerances`; `PracticeFusion.search_allergy_intolerances` explains the inputs."""

    def search_care_plans(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        status: Literal["draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"] | Code | None = None,
        date: Date | None = None,
        condition: Text | None = None,
        encounter: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_care_plans`; `PracticeFusion.search_care_plans` explains the inputs."""

    def search_care_teams(
        self,
        *,
        patient: Text | None = None,
        status: Literal["proposed", "active", "suspended", "inactive", "entered-in-error"] | Code | None = None,
        role: Code | None = None,
        participant: Text | None = None,
        date: Date | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_care_teams`; `PracticeFusion.search_care_teams` explains the inputs."""

    def search_conditions(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        clinical_status: Literal["active", "recurrence", "relapse", "inactive", "remission", "resolved"] | Code | None = None,
        code: Code | None = None,
        encounter: Text | None = None,
        onset_date: Date | None = None,
        abatement_date: Date | None = None,
        recorded_date: Date | None = None,
        asserted_date: Date | None = None,
        severity: Code | None = None,
        stage: Code | None = None,
        evidence: Code | None = None,
        asserter: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_conditions`; `PracticeFusion.search_conditions` explains the inputs."""

    def search_devices(
        self,
        *,
        patient: Text | None = None,
        type: Code | None = None,
        status: Literal["active", "inactive", "entered-in-error", "unknown"] | Code | None = None,
        udi_di: Text | None = None,
        device_name: Text | None = None,
        manufacturer: Text | None = None,
        model: Text | None = None,
        identifier: Code | None = None,
        organization: Text | None = None,
        location: Text | None = None,
        url: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_devices`; `PracticeFusion.search_devices` explains the inputs."""

    def search_diagnostic_reports(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        code: Code | None = None,
        date: Date | None = None,
        status: Literal["registered", "partial", "preliminary", "final", "amended", "corrected", "appended", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        issued: Date | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        result: Text | None = None,
        specimen: Text | None = None,
        identifier: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_diagnostic_reports`; `PracticeFusion.search_diagnostic_reports` explains the inputs."""

    def search_document_references(
        self,
        *,
        patient: Text | None = None,
        type: Code | None = None,
        category: Code | None = None,
        date: Date | None = None,
        period: Date | None = None,
        status: Literal["current", "superseded", "entered-in-error"] | Code | None = None,
        author: Text | None = None,
        encounter: Text | None = None,
        class_: Code | None = None,
        created: Date | None = None,
        description: Text | None = None,
        identifier: Code | None = None,
        custodian: Text | None = None,
        authenticator: Text | None = None,
        event: Code | None = None,
        facility: Code | None = None,
        format: Code | None = None,
        language: Code | None = None,
        location: Text | None = None,
        relation: Literal["replaces", "transforms", "signs", "appends"] | Code | None = None,
        relatesto: Text | None = None,
        relationship: Composite | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_document_references`; `PracticeFusion.search_document_references` explains the inputs."""

    def search_encounters(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        status: Literal["planned", "arrived", "triaged", "in-progress", "onleave", "finished", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        class_: Code | None = None,
        type: Code | None = None,
        identifier: Code | None = None,
        practitioner: Text | None = None,
        participant: Text | None = None,
        participant_type: Code | None = None,
        diagnosis: Text | None = None,
        location: Text | None = None,
        location_period: Date | None = None,
        length: Quantity | None = None,
        discharge_disposition: Code | None = None,
        appointment: Text | None = None,
        episodeofcare: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_encounters`; `PracticeFusion.search_encounters` explains the inputs."""

    def search_goals(
        self,
        *,
        patient: Text | None = None,
        lifecycle_status: Literal["proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "entered-in-error", "rejected"] | Code | None = None,
        target_date: Date | None = None,
        start_date: Date | None = None,
        category: Code | None = None,
        description: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_goals`; `PracticeFusion.search_goals` explains the inputs."""

    def search_immunizations(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        status: Literal["completed", "entered-in-error", "not-done"] | Code | None = None,
        vaccine_code: Code | None = None,
        lot_number: Text | None = None,
        manufacturer: Text | None = None,
        performer: Text | None = None,
        location: Text | None = None,
        reaction: Text | None = None,
        reaction_date: Date | None = None,
        identifier: Code | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_immunizations`; `PracticeFusion.search_immunizations` explains the inputs."""

    def search_medication_requests(
        self,
        *,
        patient: Text | None = None,
        intent: Literal["proposal", "plan", "order", "original-order", "reflex-order", "filler-order", "instance-order", "option"] | Code | None = None,
        status: Literal["active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped", "draft", "unknown"] | Code | None = None,
        authoredon: Date | None = None,
        encounter: Text | None = None,
        code: Code | None = None,
        requester: Text | None = None,
        date: Date | None = None,
        medication: Text | None = None,
        identifier: Code | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_medication_requests`; `PracticeFusion.search_medication_requests` explains the inputs."""

    def search_observations(
        self,
        *,
        patient: Text | None = None,
        category: Code | None = None,
        code: Code | None = None,
        date: Date | None = None,
        status: Literal["registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown"] | Code | None = None,
        value_quantity: Quantity | None = None,
        value_concept: Code | None = None,
        value_string: Text | None = None,
        value_date: Date | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        specimen: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_observations`; `PracticeFusion.search_observations` explains the inputs."""

    def search_organizations(
        self,
        *,
        name: Text | None = None,
        identifier: Code | None = None,
        type: Code | None = None,
        active: Literal["true", "false"] | Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_postalcode: Text | None = None,
        partof: Text | None = None,
        endpoint: Text | None = None,
        phonetic: Text | None = None,
        coverage_area: Text | None = None,
        period: Date | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_organizations`; `PracticeFusion.search_organizations` explains the inputs."""

    def search_patients(
        self,
        *,
        name: Text | None = None,
        family: Text | None = None,
        given: Text | None = None,
        birthdate: Date | None = None,
        gender: Literal["male", "female", "other", "unknown"] | Code | None = None,
        identifier: Code | None = None,
        telecom: Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_country: Text | None = None,
        active: Literal["true", "false"] | Code | None = None,
        deceased: Literal["true", "false"] | Code | None = None,
        death_date: Date | None = None,
        language: Code | None = None,
        phonetic: Text | None = None,
        link: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_patients`; `PracticeFusion.search_patients` explains the inputs."""

    def search_practitioners(
        self,
        *,
        name: Text | None = None,
        family: Text | None = None,
        given: Text | None = None,
        identifier: Code | None = None,
        active: Literal["true", "false"] | Code | None = None,
        gender: Literal["male", "female", "other", "unknown"] | Code | None = None,
        telecom: Code | None = None,
        communication: Code | None = None,
        address: Text | None = None,
        address_city: Text | None = None,
        address_state: Text | None = None,
        address_postalcode: Text | None = None,
        phonetic: Text | None = None,
        period: Date | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_practitioners`; `PracticeFusion.search_practitioners` explains the inputs."""

    def search_procedures(
        self,
        *,
        patient: Text | None = None,
        date: Date | None = None,
        code: Code | None = None,
        status: Literal["preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown"] | Code | None = None,
        encounter: Text | None = None,
        performer: Text | None = None,
        context: Text | None = None,
        subject: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        revinclude: Literal["Provenance:target"] | Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_procedures`; `PracticeFusion.search_procedures` explains the inputs."""

    def search_provenances(
        self,
        *,
        patient: Text | None = None,
        target: Text | None = None,
        recorded: Date | None = None,
        when: Date | None = None,
        entity: Text | None = None,
        id: Code | None = None,
        last_updated: Date | None = None,
        page_size: int | None = None,
        sort: Text | None = None,
        cursor: str | None = None,
        max_items: int | None = None,
        max_output_bytes: int | None = None,
        view: Literal["full", "summary"] | None = None,
        validation: Literal["none", "warn", "strict"] | None = None,
        strict: bool = False,
        deadline: float | None = None,
    ) -> AsyncIterator[Result]:
        """Yield the pages of `search_provenances`; `PracticeFusion.search_provenances` explains the inputs."""
